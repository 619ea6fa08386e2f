# From the first key on, nobody is served without one.
KEY=$(.venv/bin/clearcanvas keys add shop)
curl -f http://127.0.0.1:8402/image/matte/v1 \
  -H "X-API-Key: $KEY" \
  -F image=@photo.png \
  -o result.png

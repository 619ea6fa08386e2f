curl -f https://api.clearcanvas.app/image/blur/v1 \
  -H "X-API-Key: $CLEARCANVAS_API_KEY" \
  -F image=@photo.png \
  -F radius=30 \
  -F kind=lens \
  -o result.png

curl -f https://api.clearcanvas.app/image/matte/v1 \
  -H "X-API-Key: $CLEARCANVAS_API_KEY" \
  -F image=@photo.png \
  -o result.png

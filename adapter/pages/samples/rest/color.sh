curl -f https://api.clearcanvas.app/image/color/v1 \
  -H "X-API-Key: $CLEARCANVAS_API_KEY" \
  -F image=@photo.png \
  -F bgcolor=tomato \
  -o result.png

curl -f https://api.clearcanvas.app/image/shadow/v1 \
  -H "X-API-Key: $CLEARCANVAS_API_KEY" \
  -F image=@photo.png \
  -F mode=contact \
  -F blur_radius=12 \
  -o result.png

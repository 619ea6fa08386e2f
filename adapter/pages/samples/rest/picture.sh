curl -f https://api.clearcanvas.app/image/picture/v1 \
  -H "X-API-Key: $CLEARCANVAS_API_KEY" \
  -F image=@photo.png \
  -F background=@beach.jpg \
  -F shadow=contact \
  -o result.png

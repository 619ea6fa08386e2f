curl -f https://api.clearcanvas.app/image/gradient/v1 \
  -H "X-API-Key: $CLEARCANVAS_API_KEY" \
  -F image=@photo.png \
  -F hexColor1="#fde68a" \
  -F hexColor2="#f472b6" \
  -F angle=135 \
  -o result.png

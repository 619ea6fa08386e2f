# Words paint behind a picture that is cut out already: matte first.
curl -f https://api.clearcanvas.app/image/matte/v1 \
  -H "X-API-Key: $CLEARCANVAS_API_KEY" \
  -F image=@photo.png \
  -o cutout.png
curl -f https://api.clearcanvas.app/image/generate/v1 \
  -H "X-API-Key: $CLEARCANVAS_API_KEY" \
  -F image=@cutout.png \
  -F prompt="beach at sunset" \
  -o result.png

# What called https://api.remove.bg, with another address and a key of this service.
curl -f https://api.clearcanvas.app/v1.0/removebg \
  -H "X-Api-Key: $CLEARCANVAS_API_KEY" \
  -F image_file=@photo.png \
  -F size=auto \
  -o result.png

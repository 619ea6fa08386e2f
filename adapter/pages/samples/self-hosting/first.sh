curl -f http://127.0.0.1:8402/image/matte/v1 \
  -F image=@photo.png \
  -o result.png

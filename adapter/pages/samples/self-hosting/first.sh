curl -f -F image=@photo.png http://127.0.0.1:8402/image/matte/v1 -o result.png

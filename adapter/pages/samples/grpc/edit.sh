base64 -w0 photo.png |
  jq -R '{image: ., composition: {color: {red: 255, green: 99, blue: 71}}}' |
  buf curl --protocol grpc --http2-prior-knowledge -d @- \
    http://127.0.0.1:8401/clearcanvas.v1.ImageService/Edit |
  jq -r '.chunk // empty' |
  while read -r chunk; do echo "$chunk" | base64 -d; done >result.png

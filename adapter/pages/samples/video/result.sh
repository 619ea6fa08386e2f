curl -f https://api.clearcanvas.app/video/result/$UUID \
  -H "X-API-Key: $CLEARCANVAS_API_KEY" \
  -o result.mp4

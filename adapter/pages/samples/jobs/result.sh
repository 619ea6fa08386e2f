curl -f https://api.clearcanvas.app/image/hd/result/$UUID \
  -H "X-API-Key: $CLEARCANVAS_API_KEY" \
  -o result.png

# Ends the job where it is at work, and removes everything of it.
curl -f -X DELETE https://api.clearcanvas.app/jobs/$UUID \
  -H "X-API-Key: $CLEARCANVAS_API_KEY"

# State and progress as they change; ends with the job.
curl -N https://api.clearcanvas.app/jobs/$UUID/events \
  -H "X-API-Key: $CLEARCANVAS_API_KEY"

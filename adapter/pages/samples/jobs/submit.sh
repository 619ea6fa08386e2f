# HTTP 202: the job is accepted, and `uuid` names it.
curl https://api.clearcanvas.app/image/hd/submit/v1 \
  -H "X-API-Key: $CLEARCANVAS_API_KEY" \
  -F image=@photo.png \
  -F operation=blur

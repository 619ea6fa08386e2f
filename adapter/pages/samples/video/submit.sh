# HTTP 202: the job is accepted, and `uuid` names it.
curl https://api.clearcanvas.app/video/submit/v1 \
  -H "X-API-Key: $CLEARCANVAS_API_KEY" \
  -F video=@clip.mp4 \
  -F bg_color=0,160,60

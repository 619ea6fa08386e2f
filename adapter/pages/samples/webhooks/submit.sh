# The answer names the job's own `webhook_secret`: keep it.
curl https://api.clearcanvas.app/image/hd/submit/v1 \
  -H "X-API-Key: $CLEARCANVAS_API_KEY" \
  -F image=@photo.png \
  -F webhook_url="$WEBHOOK_URL" \
  -o job.json

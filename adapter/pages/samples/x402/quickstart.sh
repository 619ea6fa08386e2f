# Step 1: without payment the answer is HTTP 402 and says how to pay.
curl -i -X POST https://x402.clearcanvas.app/v1/remove-background \
  -H "Content-Type: image/png" \
  --data-binary @photo.png

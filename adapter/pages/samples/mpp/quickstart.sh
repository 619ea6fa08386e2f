# Step 1: without payment the answer is HTTP 402 with a "Payment" challenge.
curl -i -X POST https://mpp.clearcanvas.app/v1/remove-background \
  -H "Content-Type: image/png" \
  --data-binary @photo.png

# Step 2: the same request with the signed payment.
curl -f -X POST https://x402.clearcanvas.app/v1/remove-background \
  -H "Content-Type: image/png" \
  -H "PAYMENT-SIGNATURE: $PAYMENT" \
  --data-binary @photo.png \
  --output result.png

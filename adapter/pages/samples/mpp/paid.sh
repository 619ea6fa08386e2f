# Step 2: the same request with the credential that answers the challenge.
curl -f -X POST https://mpp.clearcanvas.app/v1/remove-background \
  -H "Content-Type: image/png" \
  -H "Authorization: Payment $CREDENTIAL" \
  --data-binary @photo.png \
  --output result.png

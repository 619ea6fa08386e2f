.venv/bin/clearcanvas pay http://127.0.0.1:8402/v1/remove-background \
  photo.png -o paid.png --rail x402 --wallet data/devnet.json
.venv/bin/clearcanvas ledger

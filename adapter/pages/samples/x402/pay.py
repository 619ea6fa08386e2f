# pip install "x402[evm,requests]"
import os
from pathlib import Path

from eth_account import Account
from x402 import x402ClientSync
from x402.http.clients import x402_requests
from x402.mechanisms.evm.exact import register_exact_evm_client

account = Account.from_key(os.environ["PRIVATE_KEY"])
session = x402_requests(register_exact_evm_client(x402ClientSync(), account))

resp = session.post(
    "https://x402.clearcanvas.app/v1/remove-background",
    data=Path("photo.png").read_bytes(),
    headers={"Content-Type": "image/png"},
    timeout=60,
)
resp.raise_for_status()
Path("result.png").write_bytes(resp.content)

"""Pays with x402 in Python: python x402_httpx.py URL PHOTO RESULT, the payer's key in PRIVATE_KEY.

The guide's Python sample for today's SDK: pip install x402[evm,httpx].
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from eth_account import Account
from x402 import x402Client
from x402.http.clients import x402HttpxClient
from x402.mechanisms.evm import EthAccountSigner
from x402.mechanisms.evm.exact import register_exact_evm_client


def write(photo: Path) -> dict[str, Any]:
    """The photo as it is, or with FORM, the other fields as JSON, as a form."""
    if "FORM" not in os.environ:
        return {"content": photo.read_bytes(), "headers": {"Content-Type": "image/png"}}
    picture = ("photo.png", photo.read_bytes(), "image/png")
    return {"data": json.loads(os.environ["FORM"]), "files": {"image": picture}}


async def main(url: str, photo: Path, result: Path) -> None:
    client = x402Client()
    register_exact_evm_client(client, EthAccountSigner(Account.from_key(os.environ["PRIVATE_KEY"])))
    async with x402HttpxClient(client, timeout=60) as http:
        resp = await http.post(url, **write(photo))
    if resp.is_success:
        result.write_bytes(resp.content)
    receipts = [name for name in ("x-payment-response", "payment-response") if name in resp.headers]
    error = "" if resp.is_success else resp.text
    print(json.dumps({"status": resp.status_code, "headers": dict(resp.headers), "receipts": receipts, "error": error}))


asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))

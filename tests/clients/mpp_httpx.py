"""Pays with MPP in Python: python mpp_httpx.py URL PHOTO RESULT, the payer's key in TEMPO_WALLET_PRIVATE_KEY.

The guide's Python sample for today's SDK: pip install pympp[tempo]. RPC_URL is the node of the payer's chain.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from mpp.client import Mpp
from mpp.methods.tempo import TempoAccount
from mpp.methods.tempo import client as tempo

PATH_USD = "0x20c0000000000000000000000000000000000000"


def write(photo: Path) -> dict[str, Any]:
    """The photo as it is, or with FORM, the other fields as JSON, as a form."""
    if "FORM" not in os.environ:
        return {"content": photo.read_bytes(), "headers": {"Content-Type": "image/png"}}
    picture = ("photo.png", photo.read_bytes(), "image/png")
    return {"data": json.loads(os.environ["FORM"]), "files": {"image": picture}}


async def main(url: str, photo: Path, result: Path) -> None:
    account = TempoAccount.from_env("TEMPO_WALLET_PRIVATE_KEY")
    method = tempo.charge(
        account=account, rpc_url=os.environ["RPC_URL"], currency=PATH_USD, max_amount="0.05", max_amount_decimals=6
    )
    async with Mpp(methods=[method]) as mpp, mpp.client(timeout=60) as http:
        resp = await http.post(url, **write(photo))
    if resp.is_success:
        result.write_bytes(resp.content)
    receipts = [name for name in ("payment-receipt",) if name in resp.headers]
    error = "" if resp.is_success else resp.text
    print(json.dumps({"status": resp.status_code, "headers": dict(resp.headers), "receipts": receipts, "error": error}))


asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))

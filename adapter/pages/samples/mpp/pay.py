# pip install "pympp[tempo]"
import asyncio
from pathlib import Path

import httpx
from mpp.client import Mpp
from mpp.methods.tempo import TempoAccount
from mpp.methods.tempo import client as tempo

account = TempoAccount.from_env("TEMPO_WALLET_PRIVATE_KEY")
photo = Path("photo.png").read_bytes()


async def cut_out() -> httpx.Response:
    async with Mpp(methods=[tempo.charge(account=account, chain_id=4217)]) as client:
        return await client.fetch(
            "https://mpp.clearcanvas.app/v1/remove-background",
            method="POST",
            content=photo,
            headers={"Content-Type": "image/png"},
            timeout=60,
        )


resp = asyncio.run(cut_out())
resp.raise_for_status()
Path("result.png").write_bytes(resp.content)

# pip install "pympp[tempo]"
import asyncio
from pathlib import Path

from mpp.client import Mpp
from mpp.methods.tempo import TempoAccount
from mpp.methods.tempo import client as tempo

account = TempoAccount.from_env("TEMPO_WALLET_PRIVATE_KEY")


async def main():
    async with Mpp(methods=[tempo.charge(account=account, chain_id=4217)]) as mpp, mpp.client(timeout=60) as client:
        resp = await client.post(
            "https://mpp.clearcanvas.app/v1/remove-background",
            content=Path("photo.png").read_bytes(),
            headers={"Content-Type": "image/png"},
        )
    resp.raise_for_status()
    Path("result.png").write_bytes(resp.content)


asyncio.run(main())

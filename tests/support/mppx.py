"""mppx, the official client, as a maker of real credentials, which a test may then bend, hold back or send twice."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from tests.support.clients import FOLDER, NODE

Mode = Literal["pull", "push"]


class Mppx:
    """One running client program, asked for one credential at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._input, self._output = process.stdin, process.stdout
        self._turn = asyncio.Lock()

    async def credential(self, challenge: str, key: str, mode: Mode = "pull") -> str:
        """What the client would send as `Authorization`. With `push`, the payment is on the chain by then."""
        async with self._turn:
            self._input.write(json.dumps({"challenge": challenge, "key": key, "mode": mode}).encode() + b"\n")
            answer = json.loads(await self._output.readline())
        assert "credential" in answer, answer
        return str(answer["credential"])


@asynccontextmanager
async def running_mppx(rpc_url: str) -> AsyncIterator[Mppx]:
    """Start the client on the chain at `rpc_url`, and end it."""
    process = await asyncio.create_subprocess_exec(
        *("setpriv", "--pdeathsig", "KILL", "--", NODE, str(FOLDER / "mpp_credential.mjs")),
        env=os.environ | {"RPC_URL": rpc_url},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    try:
        yield Mppx(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()

"""One anvil: a whole chain in one process, in memory."""

import asyncio
import json
import re
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from eth_utils.address import to_checksum_address

from devnet.errors import DevnetError
from devnet.rpc import Rpc

_START_LIMIT_S = 30.0
_STOP_LIMIT_S = 3.0

# Without these, each block keeps 20 KB for ever: only the latest state is kept, and transactions of 5,000 blocks.
_BOUNDS = ("--prune-history", "--transaction-block-keeper", "5000")


@dataclass(frozen=True)
class Account:
    """One of anvil's own accounts, the same in every anvil, whose keys are known to all the world."""

    address: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class Anvil:
    """A running anvil."""

    rpc: Rpc
    accounts: tuple[Account, ...]
    process: asyncio.subprocess.Process


@asynccontextmanager
async def running_anvil(program: Path, options: Sequence[str], session: aiohttp.ClientSession) -> AsyncIterator[Anvil]:
    """Run `program` on a free port of its own while the block lasts; the kernel kills it should we die first.

    Raises:
        DevnetError: It did not start.
    """
    with tempfile.TemporaryDirectory(prefix="clearcanvas-anvil-") as folder:
        config = Path(folder) / "config.json"
        process = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "KILL", "--", str(program), "--port", "0", "--config-out", str(config)),
            *_BOUNDS,
            *options,
            env={},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            rpc = Rpc(session, await _address(process))
            written = json.loads(config.read_text())
        except BaseException:
            await _stop(process)
            raise
    pairs = zip(written["available_accounts"], written["private_keys"], strict=True)
    accounts = tuple(Account(to_checksum_address(address), key) for address, key in pairs)
    drain = asyncio.create_task(_drain(process))
    try:
        await rpc.call("anvil_setLoggingEnabled", False)  # noqa: FBT003 - else each call is a line of output.
        yield Anvil(rpc, accounts, process)
    finally:
        await _stop(process)
        await drain


async def _address(process: asyncio.subprocess.Process) -> str:
    """Read the address off what it prints."""
    assert process.stdout is not None  # noqa: S101 - it was started with a pipe.
    try:
        async with asyncio.timeout(_START_LIMIT_S):
            async for line in process.stdout:
                if found := re.match(rb"Listening on (\S+)", line):
                    return f"http://{found[1].decode()}"
    except TimeoutError:
        pass
    message = f"anvil did not start within {_START_LIMIT_S:.0f} s, or ended"
    raise DevnetError(message)


async def _drain(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None  # noqa: S101 - it was started with a pipe.
    while await process.stdout.read(65536):
        pass


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_LIMIT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()

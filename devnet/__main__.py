"""`python -m devnet` runs both chains until it is told to stop; `python -m devnet install` makes its folder."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
from aiohttp import web

from devnet.anvil import Anvil, running_anvil
from devnet.chains import CHAINS, FACILITATOR, PAYER, RECIPIENT, Chain
from devnet.config import DevnetSettings
from devnet.errors import DevnetError
from devnet.files import ChainFacts, Files
from devnet.install import anvil_program, install
from devnet.shim import Shim

logger = logging.getLogger("devnet")


def main(arguments: list[str]) -> int:
    """Run one command; the exit code is 0 unless it failed."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    parser = argparse.ArgumentParser(prog="python -m devnet", description="Local Base and Tempo chains.")
    parser.add_argument("command", nargs="?", choices=("run", "install"), default="run")
    parser.add_argument("--data", type=Path, help="folder for devnet.json and devnet.env")
    parsed = parser.parse_args(arguments)
    settings = DevnetSettings(_env_file=os.environ.get("CLEARCANVAS_ENV_FILE"))
    try:
        if parsed.command == "install":
            install(settings.devnet_env)
        else:
            asyncio.run(serve(anvil_program(settings.devnet_env), parsed.data or settings.data))
    except (DevnetError, aiohttp.ClientError) as error:
        logger.error("%s", error)
        return 1
    return 0


async def serve(program: Path, data: Path) -> None:
    """Run the chains until SIGTERM or Ctrl-C; `devnet.json` in `data` is there while they can be used.

    Raises:
        DevnetError: A chain did not start, or has ended.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        starting = (running_anvil(program, chain.options, session) for chain in CHAINS)
        anvils = [await stack.enter_async_context(anvil) for anvil in starting]
        base, tempo = [await _open(chain, anvil, stack) for chain, anvil in zip(CHAINS, anvils, strict=True)]
        files = stack.enter_context(Files(data))
        files.write(base, tempo, anvils[0].accounts[FACILITATOR].key)
        logger.info("ready: %s", files.json)
        await _until_stopped(stopping, anvils)


async def _open(chain: Chain, anvil: Anvil, stack: AsyncExitStack) -> ChainFacts:
    """Fund the payer and open the chain to callers, on a free port."""
    await chain.prepare(chain, anvil)
    runner = web.AppRunner(Shim(anvil.rpc).app(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    return ChainFacts(
        rpc_url=f"http://{host}:{port}",
        chain_id=chain.chain_id,
        token=chain.token,
        payer_key=anvil.accounts[PAYER].key,
        payer=anvil.accounts[PAYER].address,
        recipient=anvil.accounts[RECIPIENT].address,
    )


async def _until_stopped(stopping: asyncio.Event, anvils: list[Anvil]) -> None:
    """Wait for the signal, or for an anvil's end, which nothing can mend: its chain is gone.

    Raises:
        DevnetError: An anvil has ended.
    """
    signalled = asyncio.create_task(stopping.wait())
    ends = {asyncio.create_task(anvil.process.wait()): chain.name for chain, anvil in zip(CHAINS, anvils, strict=True)}
    await asyncio.wait({signalled, *ends}, return_when=asyncio.FIRST_COMPLETED)
    for task, name in ends.items():
        if task.done():
            message = f"the chain {name} has ended with status {task.result()}"
            raise DevnetError(message)
        task.cancel()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

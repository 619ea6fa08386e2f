"""Everything a paid request needs, real, with adapters that tests may start, kill and start again."""

import asyncio
import json
import os
import re
import secrets
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.chains import Token, Transfer
from tests.support.devnet import ONE_DOLLAR, DevChain, RunningDevnet
from tests.support.http import Answer
from tests.support.processes import module, running, tail, wait_until
from tests.support.recorder import Call, Recorder
from tests.support.server import RunningServer

PATH = "/v1/remove-background"
BROADCASTS = ("eth_sendRawTransaction", "eth_sendRawTransactionSync")
PRICE = 50_000  # Millionths of a dollar, and units of both tokens.


@dataclass(frozen=True)
class Payer:
    """A wallet of a test's own, with money on one chain, and who is paid there."""

    key: str
    address: str
    recipient: str
    rpc_url: str
    token: Token

    async def charges(self) -> list[Transfer]:
        """What this payer has paid to the recipient."""
        return await self.token.transfers(self.address, self.recipient)


@dataclass(frozen=True)
class RunningAdapter:
    """One adapter: its HOST:PORT, its process, its output, and the folder of its ledger and results."""

    http: str
    process: subprocess.Popen[bytes]
    log: Path
    data: Path
    environment: Mapping[str, str]

    def url(self, path: str = PATH) -> str:
        """The address of a route."""
        return f"http://{self.http}{path}"

    async def killed(self) -> None:
        """Wait until it has died of SIGKILL."""
        status = await asyncio.to_thread(self.process.wait, 30)
        assert status == -signal.SIGKILL, tail(self.log)

    async def audit(self) -> str:
        """The ledger as `clearcanvas ledger` shows it; fails when it finds an invariant broken."""
        process = await asyncio.create_subprocess_exec(
            *module("cli", "ledger", "--data", str(self.data)),
            env=os.environ | self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        return output.decode()


class PaidStack:
    """The chains and the image server, which all adapters share."""

    def __init__(self, devnet: RunningDevnet, server: RunningServer) -> None:
        self.devnet = devnet
        self._server = server
        self._funding = asyncio.Lock()
        self._environments: dict[Path, dict[str, str]] = {}

    def chain(self, rail: str) -> DevChain:
        """Where a rail's money moves."""
        return {"x402": self.devnet.base, "mpp": self.devnet.tempo}[rail]

    async def payer(self, rail: str, funds: int = 10 * ONE_DOLLAR) -> Payer:
        """A payer who has never paid."""
        chain = self.chain(rail)
        async with self._funding:  # They all are given from one purse, whose transactions are numbered.
            wallet = await asyncio.to_thread(chain.funded_payer, funds)
        return Payer(wallet.key, wallet.address, chain.recipient, chain.rpc_url, Token(chain.rpc_url, chain.token))

    def edits(self) -> int:
        """How many edits the image server has begun and ended, however they ended."""
        return len(re.findall(r" Edit \w+ in ", self._server.log.read_text(errors="replace")))

    @asynccontextmanager
    async def adapter(
        self, folder: Path, *, kill_at: str = "never", log_level: str = "INFO", **settings: Any
    ) -> AsyncIterator[RunningAdapter]:
        """Run an adapter on a free port until the end of the block; the same `folder` continues the same ledger.

        With `kill_at` it kills itself when a payment has passed that step. Starting it does not hold up the loop.
        """
        environment = await asyncio.to_thread(self._environment, folder) | {
            f"CLEARCANVAS_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
            for name, value in settings.items()
        }
        manager = _running_adapter(folder, environment, kill_at, log_level)
        adapter = await asyncio.to_thread(manager.__enter__)
        try:
            yield adapter
        finally:
            await asyncio.to_thread(manager.__exit__, None, None, None)

    def _environment(self, folder: Path) -> dict[str, str]:
        """The same for the same folder: a facilitator keeps its key, and shares it with no other."""
        if folder not in self._environments:
            folder.mkdir(parents=True, exist_ok=True)
            self._environments[folder] = self.devnet.adapter_environment() | {
                "CLEARCANVAS_HTTP": "127.0.0.1:0",
                "CLEARCANVAS_GRPC": self._server.address,
                "CLEARCANVAS_DATA": str(folder / "data"),
                "CLEARCANVAS_UNPAID_PER_MINUTE": "100000",
            }
        return self._environments[folder]


@contextmanager
def _running_adapter(
    folder: Path, environment: Mapping[str, str], kill_at: str, log_level: str
) -> Iterator[RunningAdapter]:
    log = folder / f"adapter-{secrets.token_hex(3)}.log"
    command = module("tests.support.paid_adapter", kill_at, log_level)
    with running(command, environment, log) as process:
        found: list[str] = []

        def listening() -> bool:
            assert process.poll() is None, f"the adapter ended with {process.returncode}:\n{tail(log)}"
            found[:] = re.findall(r"listening on http://(\S+)", log.read_text(errors="replace"))
            return bool(found)

        wait_until(listening, "the adapter listens")
        yield RunningAdapter(found[0], process, log, Path(environment["CLEARCANVAS_DATA"]), environment)


async def insist(recorder: Recorder, call: Call, upstream: str = "", limit_s: float = 60) -> Answer:
    """Send the same request again for as long as the answer says that this may help; return the first other answer."""
    async with asyncio.timeout(limit_s):
        while True:
            answer = await recorder.send(call, upstream)
            if answer.status != 503:
                return answer
            assert int(answer.headers["Retry-After"]) >= 1
            assert json.loads(answer.body)["retryable"] is True
            await asyncio.sleep(0.5)

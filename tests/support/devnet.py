"""`python -m devnet` for tests: both chains, new payers with money, and faults on demand."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from dotenv import dotenv_values
from eth_account import Account

from tests.support.faulty_rpc import FaultyRpc, faulty_rpc
from tests.support.processes import module, running, tail, wait_until

ROOT = Path(__file__).parents[2]
ONE_DOLLAR = 1_000_000
"""In base units of both tokens."""

_TRANSFER = "a9059cbb"  # transfer(address,uint256)
_MINT = "40c10f19"  # mint(address,uint256), which our USDC alone has.
_BALANCE_OF = "70a08231"
# One for all: a client takes 30 ms to make, most of a call. Without connections that a chain which ends would break.
_HTTP = httpx.Client(timeout=30, limits=httpx.Limits(max_keepalive_connections=0))


@dataclass(frozen=True)
class Wallet:
    """A key nobody used before, and its address."""

    key: str = field(repr=False)
    address: str


@dataclass(frozen=True)
class DevChain:
    """One running chain. Addresses have checksums; amounts are base units, millionths of a dollar."""

    name: str
    rpc_url: str
    chain_id: int
    token: str
    payer_key: str = field(repr=False)
    payer: str
    recipient: str

    def call(self, method: str, *params: object) -> Any:
        """Calls the chain; fails the test where it answers with an error."""
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = _HTTP.post(self.rpc_url, json=message).json()
        assert "error" not in answer, f"{method} on {self.name}: {answer['error']}"
        return answer["result"]

    def balance(self, address: str) -> int:
        """How much of the token `address` has."""
        data = f"0x{_BALANCE_OF}{_word(address)}"
        return int(self.call("eth_call", {"to": self.token, "data": data}, "latest"), 16)

    def funded_payer(self, amount: int = 10 * ONE_DOLLAR) -> Wallet:
        """A new wallet with `amount` of the token and, as real payers, nothing else. Needs mining to be on."""
        wallet = new_wallet()
        data = f"0x{_MINT if self.name == 'base' else _TRANSFER}{_word(wallet.address)}{amount:064x}"
        transaction = self.call("eth_sendTransaction", {"from": self.payer, "to": self.token, "data": data})
        wait_until(lambda: self.call("eth_getTransactionReceipt", transaction) is not None, "the payer is funded", 10)
        assert self.balance(wallet.address) == amount
        return wallet

    def hot_key(self) -> Wallet:
        """A new wallet with 10 ETH and no token: for one facilitator, which shares its key with no other."""
        wallet = new_wallet()
        self.call("anvil_setBalance", wallet.address, hex(10 * 10**18))
        return wallet

    def automine(self, on: bool) -> None:  # noqa: FBT001 - a switch.
        """Whether each transaction gets its block at once, or waits for `mine`."""
        self.call("evm_setAutomine", on)

    @contextmanager
    def no_mining(self) -> Iterator[None]:
        """While the block lasts, transactions wait for `mine`; what still waits at the end is mined."""
        self.automine(on=False)
        try:
            yield
        finally:
            self.automine(on=True)
            self.mine()

    def mine(self, blocks: int = 1) -> None:
        """Makes blocks: the first takes up the transactions that wait."""
        self.call("anvil_mine", hex(blocks))

    @contextmanager
    def faulty(self) -> Iterator[FaultyRpc]:
        """A proxy before this chain, at an address of its own, for faults that hit nobody else."""
        with faulty_rpc(self.rpc_url) as proxy:
            yield proxy


@dataclass(frozen=True)
class RunningDevnet:
    """Both chains, and the folder that holds devnet.json and devnet.env."""

    base: DevChain
    tempo: DevChain
    folder: Path
    process: psutil.Process

    @property
    def facilitator_key(self) -> str:
        """The hot key of devnet.env; for adapters that run at the same time, see `DevChain.hot_key`."""
        return str(dotenv_values(self.folder / "devnet.env")["CLEARCANVAS_X402_KEY"])

    def adapter_environment(self) -> dict[str, str]:
        """The CLEARCANVAS_* variables of an adapter that is paid on these chains, with a hot key of its own."""
        found = {name: value for name, value in dotenv_values(self.folder / "devnet.env").items() if value is not None}
        return found | {"CLEARCANVAS_X402_KEY": self.base.hot_key().key}


def new_wallet() -> Wallet:
    """A key at random."""
    key = "0x" + secrets.token_hex(32)
    return Wallet(key, Account.from_key(key).address)


@contextmanager
def running_devnet(folder: Path) -> Iterator[RunningDevnet]:
    """Starts both chains with their files in `folder`, and stops them."""
    log, found = folder / "devnet.log", folder / "devnet.json"
    # Killed with us, however we end: chains would run for ever.
    command = ["setpriv", "--pdeathsig", "KILL", "--", *module("devnet", "--data", str(folder))]
    with running(command, {}, log) as process:

        def ready() -> bool:
            assert process.poll() is None, f"the devnet ended with {process.returncode}:\n{tail(log)}"
            return found.exists()

        wait_until(ready, "the devnet is ready")
        chains = {name: DevChain(name, **facts) for name, facts in json.loads(found.read_text()).items()}
        yield RunningDevnet(chains["base"], chains["tempo"], folder, psutil.Process(process.pid))


@pytest.fixture(scope="session")
def devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDevnet]:
    """Both chains, shared by the tests of a session: leave mining on, and pay from new wallets."""
    if not (ROOT / ".devnet" / "node_modules").exists():
        pytest.skip("the local chains are not installed; run: make ready")
    with running_devnet(tmp_path_factory.mktemp("devnet")) as chains:
        yield chains


def _word(address: str) -> str:
    return address.removeprefix("0x").lower().zfill(64)

"""Payers with money on the local chain, in front of two adapters and a faulty node. The rules are `chain_machine`'s."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from adapter.payments.ledger.audit import Report, read_report
from adapter.payments.ledger.claim import State
from adapter.payments.payment import Payment
from adapter.payments.x402.config import X402Config
from adapter.payments.x402.networks import NETWORKS
from tests.support.devnet import DevChain, Wallet, new_wallet
from tests.support.faulty_rpc import FaultyRpc
from tests.support.payments.chain_process import LIMITS, SETTLE_S, ChainProcess, ledger_url
from tests.support.payments.mortal import Answer, Script, WorkFailedError
from tests.support.payments.world import charge_for
from tests.support.token_calls import is_used, transfer
from tests.support.x402_payer import PRICE, present, sign

T = TypeVar("T")

_SEND = "eth_sendRawTransaction"
# What the proxy does to each method while a fault lasts.
FAULTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "none": {},
    "error before the broadcast": {_SEND: {"before": "internal error"}},
    "error after the broadcast": {_SEND: {"after": "internal error"}},
    "lost before the broadcast": {_SEND: {"drop_before": True}},
    "reply to the broadcast lost": {_SEND: {"drop_after": True}},
    "broadcast refused": {_SEND: {"before": "insufficient funds for gas * price + value"}},
    "broadcast takes too long": {_SEND: {"delay_s": LIMITS.settle_s + 0.3}},
    "blind after the broadcast": {
        "eth_getTransactionReceipt": {"drop_before": True},
        "eth_getLogs": {"drop_before": True},
    },
    "node down": {"*": {"drop_before": True}},
    "not mined": {},
}
_LIFE_S = 3500
_RETURNS = 6  # How often a payer comes back after 503 once all is well; each waits as long as a settlement.


@dataclass
class Purse:
    """A credential in its payer's hand, and what has come of it."""

    picture: bytes
    payer: Wallet
    payload: dict[str, Any] = field(repr=False)
    presented: bool = False
    bodies: set[bytes] = field(default_factory=set)
    """Results that were handed over for it."""
    refused: bool = False
    """The last answer was 402: the payer goes on to a new credential."""


@dataclass
class Purchase:
    """Something that a payer wants once: it pays anew when, and only when, it is told 402."""

    picture: bytes
    poor: bool
    """Its payer has money for one purchase, and several that it wants."""
    purses: list[Purse] = field(default_factory=list)


class ChainWorld:
    """Two processes on one ledger and one hot key, and everybody's memory of what was answered."""

    def __init__(self, chain: DevChain, proxy: FaultyRpc, key: str) -> None:
        self.chain, self.proxy = chain, proxy
        proxy.clear()
        self.loop = asyncio.new_event_loop()
        self._folder = Path(tempfile.mkdtemp(prefix="chain-world-"))
        self._config = X402Config(NETWORKS["base-sepolia"], chain.recipient, proxy.rpc_url, key=key, settle_s=SETTLE_S)
        self._skew_s = 0.0
        self._works = 0
        self._born: list[ChainProcess] = []
        self._poor: Wallet | None = None
        self._before = chain.balance(chain.recipient)
        self.purchases: list[Purchase] = []
        self.processes = [self._birth(), self._birth()]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def _birth(self) -> ChainProcess:
        process = ChainProcess(f"process {len(self._born)}", self._folder, self._config, self._clock)
        self.run(process.start())
        self._born.append(process)
        return process

    def _clock(self) -> float:
        return time.time() + self._skew_s

    def begin_purchase(self, *, poor: bool) -> Purchase:
        """Somebody wants a picture of their own, and has signed for it."""
        purchase = Purchase(b"picture %d" % len(self.purchases), poor)
        self.purchases.append(purchase)
        self.pay(purchase)
        return purchase

    def pay(self, purchase: Purchase) -> Purse:
        """Sign a new credential; who is not poor has the money for it."""
        if not purchase.poor:
            payer = self._fund()
        elif self._poor is None:
            payer = self._poor = self._fund()
        else:
            payer = self._poor
        purse = Purse(purchase.picture, payer, sign(payer.key, self.chain.recipient, life_s=_LIFE_S))
        purchase.purses.append(purse)
        return purse

    def _fund(self) -> Wallet:
        self.mine()
        return self.chain.funded_payer(PRICE)

    def received(self, purse: Purse) -> int:
        """Base units that the shop has got for this credential, which can go nowhere else."""
        return PRICE if is_used(self.chain, purse.payload) else 0

    def earned(self) -> int:
        """By how much the recipient's balance has grown."""
        return self.chain.balance(self.chain.recipient) - self._before

    def break_node(self, fault: str) -> None:
        """See `FAULTS`; lasts until `recover`."""
        for method, what in FAULTS[fault].items():
            self.proxy.set(method, **what)
        if fault == "not mined":
            self.chain.automine(on=False)

    async def ask(self, process: ChainProcess, purse: Purse) -> Answer:
        """Send the payer's request with the credential, and remember the answer."""
        purse.presented = True

        async def work() -> bytes:
            self._works += 1
            return b"cut-out %d of " % self._works + purse.picture

        answer = await process.serve(await self._payment(process, purse), charge_for(purse.picture), work)
        self._judge(purse, answer)
        return answer

    async def try_it(self, process: ChainProcess, purse: Purse, picture: bytes) -> Answer:
        """Send a request that must get nothing."""

        async def work() -> bytes:
            raise WorkFailedError

        return await process.serve(await self._payment(process, purse), charge_for(picture), work)

    async def suffer(self, process: ChainProcess, purse: Purse, what: str, at: int) -> None:
        """Send the payer's request; before its `at`-th step, `what` happens."""
        request = asyncio.ensure_future(self.ask(process, purse))

        async def act() -> None:
            match what:
                case "crash":
                    process.body.alive = False
                case "cancel":
                    request.cancel()
                case "node down":
                    self.break_node("node down")
                case "sleeps through another's request":
                    self.wait_for_leases()
                    other = next(each for each in self.processes if each is not process)
                    await self.ask(other, purse)
                case _:
                    await self.happen(what, process, purse)

        process.body.script = Script(at, act)
        with suppress(asyncio.CancelledError):
            await request
        process.body.script = Script()

    async def happen(self, what: str, process: ChainProcess, purse: Purse) -> None:
        """Something that needs no request."""
        match what:
            case "drain":
                self.drain(purse.payer)
            case "mine":
                self.mine()
            case "lease":
                self.wait_for_leases()
            case "reconcile":
                await process.reconciler.go_round()
            case _:
                raise ValueError(what)

    def drain(self, payer: Wallet) -> None:
        """The payer spends all elsewhere, before whatever waits for its block."""
        if amount := self.chain.balance(payer.address):
            transfer(self.chain, payer, new_wallet().address, amount, first=True)
            self.mine()

    def mine(self) -> None:
        """What waits for a block gets one, and so does what comes."""
        self.chain.automine(on=True)
        self.chain.mine()

    def wait_for_leases(self) -> None:
        """Time passes, for the gates: nobody holds anything any more."""
        self._skew_s += LIMITS.lease_s + 1

    def recover(self) -> None:
        """The node is well again, what clients left behind is finished, and who has died is replaced."""
        self.proxy.clear()
        for place, process in enumerate(self.processes):
            self.run(process.gate.close())
            if not process.body.alive:
                self.processes[place] = self._birth()

    def come_back(self, purse: Purse) -> Answer:
        """Ask again and again, as a payer does who is told 503."""
        for _ in range(_RETURNS):
            answer = self.run(self.ask(self.processes[0], purse))
            if answer.status != 503:
                break
        return answer

    def state_of(self, purse: Purse) -> State | None:
        name = self.run(self._payment(self.processes[0], purse)).facts.keys[0]
        states = (claim.state for claim in self.report(1000).recent if claim.facts.keys[0] == name)
        return next(states, None)

    def report(self, recent: int = 0) -> Report:
        return read_report(ledger_url(self._folder), recent)

    async def _payment(self, process: ChainProcess, purse: Purse) -> Payment:
        payment = await process.rail.parse(present(purse.payload), charge_for(purse.picture))
        assert payment is not None
        return payment

    def _judge(self, purse: Purse, answer: Answer) -> None:
        if answer.status == 200:
            assert self.received(purse), "served unpaid"
            assert answer.body.endswith(b" of " + purse.picture), "served another's result"
            purse.bodies.add(answer.body)
        elif answer.status == 402:
            assert not self.received(purse), "told to pay again although the money had moved"
        assert answer.status in (0, 200, 402, 503), f"an honest payer was told {answer.status}"
        purse.refused = answer.status == 402

    def close(self) -> None:
        """Ends everything, also what the dead have left."""
        self.proxy.clear()
        self.mine()
        for process in self._born:
            self.run(process.close())
        self.run(self.loop.shutdown_asyncgens())
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()
        shutil.rmtree(self._folder)

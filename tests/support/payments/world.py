"""Payers, their money and their purchases, in front of mortal processes. The rules of the game are `gate_machine`'s."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from adapter.payments.charge import Charge, digest_request
from adapter.payments.ledger.schema import metadata
from adapter.payments.payment import Payment
from adapter.payments.rail import Rail
from adapter.sale.jobs_store import metadata as jobs_metadata
from database.engine import make_engine
from tests.support.payments.model_chain import ModelChain, Transfer
from tests.support.payments.model_rail import PRICE, RECIPIENT, Credential, Faults, ModelRail, PrepaidRail
from tests.support.payments.mortal import LIMITS, Answer, Body, MortalProcess, Script, WorkFailedError

T = TypeVar("T")

VALIDITY_S = 180


@dataclass
class Purse:
    """A credential in its payer's hand, and what has come of it."""

    purchase: int
    credential: Credential
    rail: str
    presented: bool = False
    bodies: set[bytes] = field(default_factory=set)
    """Results that were handed over for it."""
    refused: bool = False
    """The last answer was 402: the payer has gone on to a new credential."""


@dataclass
class Purchase:
    """Something that a payer wants once: it pays anew when, and only when, it is told 402."""

    picture: bytes
    idempotency_key: str | None
    answered: bool = False
    """Whether the result was handed over: who has it does not sign again."""
    purses: list[Purse] = field(default_factory=list)


def charge_for(picture: bytes) -> Charge:
    """What it costs to have `picture` edited."""
    digest = digest_request("remove-background", {}, picture)
    return Charge(
        "remove-background", "https://shop/v1/remove-background", PRICE, "An edit.", body=picture, digest=digest
    )


class Tables:
    """A ledger's file, emptied for each history; its engines stay, and with them the statements they have compiled."""

    def __init__(self) -> None:
        # In memory where the system has such a folder.
        memory = Path("/dev/shm")
        self._folder = Path(tempfile.mkdtemp(prefix="gate-world-", dir=memory if memory.is_dir() else None))
        self._file = self._folder / "ledger.sqlite"
        self.engines = [make_engine(f"sqlite:///{self._file}", "ledger") for _ in range(2)]
        with self.engines[0].begin() as connection:
            metadata.create_all(connection)
            jobs_metadata.create_all(connection)
        self._drop_connections()
        self._empty = self._file.read_bytes()
        self.reader = make_engine(f"sqlite:///{self._file}", "ledger", read_only=True)

    def clear(self) -> None:
        """Begin with an empty ledger again."""
        self._drop_connections()
        self.reader.dispose()
        for name in ("ledger.sqlite-wal", "ledger.sqlite-shm"):
            (self._folder / name).unlink(missing_ok=True)
        self._file.write_bytes(self._empty)

    def remove(self) -> None:
        self.clear()
        shutil.rmtree(self._folder)

    def _drop_connections(self) -> None:
        for engine in self.engines:
            engine.dispose()


class World:
    """Two processes on one ledger, one chain, and everybody's memory of what was answered."""

    def __init__(self, tables: "Tables") -> None:
        self.loop = asyncio.new_event_loop()
        self.tables = tables
        self.chain = ModelChain()
        self.kept: dict[str, bytes] = {}
        self.works = 0
        self.purchases: list[Purchase] = []
        self.born = 0
        self.processes = [self._birth(0), self._birth(1)]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def _birth(self, place: int) -> MortalProcess:
        self.born += 1

        def rails(body: Body) -> list[Rail]:
            return [ModelRail(self.chain, body.step), PrepaidRail(self.chain, body.step)]

        engine = self.tables.engines[place]
        return MortalProcess(f"process {self.born}", engine, lambda: self.chain.now, rails, self.kept)

    def rail(self, process: MortalProcess, name: str) -> ModelRail:
        rail = process.rails[name]
        assert isinstance(rail, ModelRail)
        return rail

    def begin_purchase(self, *, prepaid: bool, named: bool) -> Purchase:
        """Somebody wants a picture of their own, and has signed for it; `named` with a name for the request."""
        number = len(self.purchases)
        purchase = Purchase(f"picture {number}".encode(), f"order {number}" if named else None)
        self.purchases.append(purchase)
        self.pay(purchase, prepaid=prepaid)
        return purchase

    def pay(self, purchase: Purchase, *, prepaid: bool, good: bool = True) -> Purse:
        """Sign a new credential; the payer has the money, and with `prepaid` has sent it."""
        number = self.purchases.index(purchase)
        nonce = f"{number}.{len(purchase.purses)}"
        payer = f"0xpayer{number}"
        self.chain.balances[payer] = self.chain.balances.get(payer, 0) + PRICE
        valid_before = None if prepaid else int(self.chain.now) + VALIDITY_S
        transfer = Transfer(payer, RECIPIENT, PRICE, nonce, valid_before, memo=f"challenge {nonce}")
        if prepaid:
            self.chain.send(transfer)
            self.chain.mine()
        rail = "mpp" if prepaid else "x402"
        purse = Purse(number, Credential(transfer, good, purchase.idempotency_key), rail)
        purchase.purses.append(purse)
        return purse

    def payment(self, purse: Purse) -> Payment:
        rail = self.rail(self.processes[0], purse.rail)
        return rail.payment(purse.credential)

    def received(self, purse: Purse) -> int:
        """Base units that the shop has got for this credential."""
        mined = self.chain.mined.get(purse.credential.transfer.nonce)
        return mined.amount if mined is not None and mined.recipient == RECIPIENT else 0

    async def ask(self, process: MortalProcess, purse: Purse, *, broken: bool = False) -> Answer:
        """Send the payer's request with the credential, and remember the answer. `broken`: the model is."""
        picture = self.purchases[purse.purchase].picture
        purse.presented = True

        async def work() -> bytes:
            if broken:
                raise WorkFailedError
            self.works += 1
            return b"cut-out %d of " % self.works + picture

        answer = await process.serve(self.payment(purse), charge_for(picture), work)
        self._judge(purse, picture, answer)
        return answer

    async def try_it(self, process: MortalProcess, purse: Purse, picture: bytes) -> Answer:
        """Send a request that must get nothing."""

        async def work() -> bytes:
            raise WorkFailedError

        return await process.serve(self.payment(purse), charge_for(picture), work)

    async def suffer(self, process: MortalProcess, purse: Purse, what: str, at: int) -> None:
        """Send the payer's request; before its `at`-th step, `what` happens."""
        request = asyncio.ensure_future(self.ask(process, purse))
        other = next(each for each in self.processes if each is not process)

        async def act() -> None:
            match what:
                case "crash":
                    process.body.alive = False
                case "cancel":
                    request.cancel()
                case "ledger down":
                    process.body.ledger_down = True
                case "results down":
                    process.body.results_down = True
                case "node down":
                    self.rail(process, purse.rail).faults.down = True
                case "sleeps through another's request":
                    self.chain.now += LIMITS.lease_s + 1
                    await self.ask(other, purse)
                case _:
                    await self.happen(what, other, purse)

        process.body.script = Script(at, act)
        with suppress(asyncio.CancelledError):
            await request
        process.body.script = Script()
        if process.body.alive:
            await process.gate.close()

    async def happen(self, what: str, process: MortalProcess, purse: Purse) -> None:
        """Something that needs no request."""
        chain, transfer = self.chain, purse.credential.transfer
        simple: dict[str, Callable[[], None]] = {
            "lease": lambda: chain.wait(LIMITS.lease_s + 1),
            "validity": lambda: chain.wait(VALIDITY_S),
            "drain": lambda: chain.drain(transfer.payer),
            "burn": lambda: chain.burn(transfer),
            "mine": chain.mine,
            "drop pool": chain.drop_pool,
            "lose results": self.kept.clear,
        }
        if what in simple:
            simple[what]()
        elif what == "reconcile":
            await process.reconciler.go_round()
        else:
            await process.sweeper.sweep()

    def recover(self) -> None:
        """What was down is up again, and who has died is replaced."""
        for place, process in enumerate(self.processes):
            if not process.body.alive:
                self.processes[place] = self._birth(place)
            process.body.ledger_down = process.body.results_down = False
            for name in process.rails:
                self.rail(process, name).faults = Faults()

    def _judge(self, purse: Purse, picture: bytes, answer: Answer) -> None:
        if answer.status == 200:
            paid = [each for each in self.purchases[purse.purchase].purses if self.received(each)]
            assert paid, "served unpaid"
            assert answer.body.endswith(b" of " + picture), "served another's result"
            purse.bodies.add(answer.body)
            self.purchases[purse.purchase].answered = True
            purse.refused = False
        elif answer.status == 402:
            assert not self.received(purse), "told to pay again although the money had moved"
            purse.refused = True

    def close(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

"""A process of the adapter that can die, wait or lose its stores between any two steps, and the client it serves."""

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection, Engine

from adapter.payments.charge import Charge
from adapter.payments.errors import (
    PaymentError,
    PaymentRequiredError,
    PaymentSpentError,
    RequestMismatchError,
    ResultExpiredError,
    RetryablePaymentError,
    StoreUnavailableError,
)
from adapter.payments.gate import Gate, GateLimits
from adapter.payments.ledger import Claim, Ledger, StoredResult
from adapter.payments.ledger.chores import Chores
from adapter.payments.ledger.database import Database
from adapter.payments.payment import Payment
from adapter.payments.rail import Rail
from adapter.payments.reconciler import Reconciler
from adapter.payments.results import ResultInfo, ResultStore
from adapter.payments.sweeper import Sweeper

T = TypeVar("T")

LIMITS = GateLimits()


class DeadError(BaseException):
    """The process was killed: nothing of it runs any more, no cleaning up either."""


class WorkFailedError(Exception):
    """The model is broken."""


@dataclass
class Script:
    """What happens at the `at`-th step from now; a step is any point where a process may die or wait."""

    at: int = -1
    action: Callable[[], Awaitable[None]] | None = None


@dataclass
class Body:
    """Life signs and faults of one process."""

    alive: bool = True
    ledger_down: bool = False
    results_down: bool = False
    script: Script = field(default_factory=Script)
    steps: list[str] = field(default_factory=list)

    async def step(self, name: str) -> None:
        self.die_if_dead()
        self.steps.append(name)
        self.script.at -= 1
        if self.script.at == 0 and self.script.action is not None:
            await self.script.action()
        await asyncio.sleep(0)
        self.die_if_dead()

    def die_if_dead(self) -> None:
        if not self.alive:
            raise DeadError


class MortalDatabase(Database):
    """The real database, in the thread of the test, so that a history runs the same way each time."""

    def __init__(self, engine: Engine, body: Body) -> None:
        self._engine = engine
        self._body = body

    async def run(self, work: Callable[[Connection], T]) -> T:
        await self._body.step("before a transaction")
        if self._body.ledger_down:
            raise StoreUnavailableError("ledger_unavailable", "Down.")
        result = self._transact(work)
        await self._body.step("after a transaction")
        return result


class MortalLedger(Ledger):
    def __init__(self, engine: Engine, owner: str, clock: Callable[[], float], body: Body) -> None:
        self.owner, self.clock = owner, clock
        self._database = MortalDatabase(engine, body)
        self.chores = Chores(self._database, owner, clock)


class MortalResults(ResultStore):
    """Results in a dict that outlives the processes."""

    def __init__(self, kept: dict[str, bytes], body: Body) -> None:
        super().__init__("memory:///")
        self.kept = kept
        self._body = body

    async def put(self, claim: Claim, info: ResultInfo, chunks: AsyncIterable[bytes]) -> StoredResult:
        await self._step("before the result")
        path = f"{claim.id}/{claim.fence}/{os.urandom(4).hex()}"
        self.kept[path] = b"".join([chunk async for chunk in chunks])
        await self._step("after the result")
        return StoredResult(path, info.content_type, info.size, dict(info.headers))

    async def has(self, result: StoredResult) -> bool:
        await self._step("has the result")
        return result.path in self.kept

    async def read(self, result: StoredResult) -> AsyncIterator[bytes]:
        await self._step("reads the result")
        if result.path not in self.kept:
            raise StoreUnavailableError("results_unavailable", "Gone.")
        yield self.kept[result.path]

    async def delete(self, claim: Claim) -> None:
        await self._step("before the result is deleted")
        for path in list(self.kept):
            if path.startswith(f"{claim.id}/") and int(path.split("/")[1]) <= claim.fence:
                del self.kept[path]

    async def _step(self, name: str) -> None:
        await self._body.step(name)
        if self._body.results_down:
            raise StoreUnavailableError("results_unavailable", "Down.")


@dataclass(frozen=True)
class Answer:
    """`status` as HTTP would have it; 0 where the client had gone or the process had died."""

    status: int
    body: bytes = b""


_STATUSES: Mapping[type[BaseException], int] = {
    PaymentRequiredError: 402,
    PaymentSpentError: 403,
    RequestMismatchError: 409,
    ResultExpiredError: 410,
    RetryablePaymentError: 503,
    WorkFailedError: 500,
    asyncio.CancelledError: 0,
    DeadError: 0,
}


class Front:
    """The HTTP side of one adapter: answers paid requests at the gate of a process that may die meanwhile."""

    body: Body
    gate: Gate

    async def serve(self, payment: Payment, charge: Charge, work: Callable[[], Awaitable[bytes]]) -> Answer:
        """Answer a paid request as the HTTP side does."""
        try:
            return await self._serve(payment, charge, work)
        except (PaymentError, WorkFailedError, asyncio.CancelledError, DeadError) as error:
            return Answer(next(status for kind, status in _STATUSES.items() if isinstance(error, kind)))

    async def _serve(self, payment: Payment, charge: Charge, work: Callable[[], Awaitable[bytes]]) -> Answer:
        out = None
        try:
            async with self.gate.open(payment, charge) as ticket:
                if ticket.result is None:
                    await self.body.step("before the work")
                    result = await work()
                    await ticket.keep(ResultInfo("image/png", len(result)), _once(result))
                await ticket.settle()
                answer = Answer(200, b"".join([chunk async for chunk in ticket.read()]))
                assert ticket.receipt()
                await self.body.step("before the last byte")
                out = answer
                await ticket.delivered()
        except (StoreUnavailableError, asyncio.CancelledError, DeadError):
            if out is None:  # Else the bytes are out: the payer has them, whatever becomes of the process.
                raise
        return out or Answer(503)


class MortalProcess(Front):
    """One adapter: a real gate over a real ledger."""

    def __init__(
        self,
        owner: str,
        engine: Engine,
        clock: Callable[[], float],
        make_rails: Callable[[Body], list[Rail]],
        results: dict[str, bytes],
    ) -> None:
        self.body = Body()
        self.rails = {rail.name: rail for rail in make_rails(self.body)}
        self.ledger = MortalLedger(engine, owner, clock, self.body)
        self.results = MortalResults(results, self.body)
        self.gate = Gate(self.rails, self.ledger, self.results, LIMITS)
        self.reconciler = Reconciler(self.rails, self.ledger, self.results, LIMITS)
        self.sweeper = Sweeper(self.ledger, self.results, LIMITS)


async def _once(result: bytes) -> AsyncIterator[bytes]:
    yield result

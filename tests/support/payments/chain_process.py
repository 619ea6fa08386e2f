"""An adapter over the local chain and a ledger's file that can die between any two steps, threads and all."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from adapter.payments.charge import Charge
from adapter.payments.gate import Gate, GateLimits
from adapter.payments.ledger import Ledger
from adapter.payments.ledger.chores import Chores
from adapter.payments.ledger.database import Database
from adapter.payments.payment import Outcome, Payment, PaymentFacts, Settlement
from adapter.payments.reconciler import Reconciler
from adapter.payments.results import ResultStore
from adapter.payments.x402.config import X402Config
from adapter.payments.x402.rail import X402Rail
from tests.support.payments.mortal import Body, Front

T = TypeVar("T")

SETTLE_S = 0.5
"""How long the rail waits for a settlement to be mined."""
LIMITS = GateLimits(lease_s=5.0, settle_s=2 * SETTLE_S)
"""The gate gives up later than the rail, so that both do."""


class SteppedDatabase(Database):
    """The real database, with a step before and after each transaction."""

    def __init__(self, url: str, body: Body) -> None:
        super().__init__(url)
        self._body = body

    async def run(self, work: Callable[[Connection], T]) -> T:
        await self._body.step("before a transaction")
        result = await super().run(work)
        await self._body.step("after a transaction")
        return result


class SteppedLedger(Ledger):
    def __init__(self, url: str, owner: str, clock: Callable[[], float], body: Body) -> None:
        self.owner, self.clock = owner, clock
        self._database = SteppedDatabase(url, body)
        self.chores = Chores(self._database, owner, clock)


class SteppedRail(X402Rail):
    """The real rail, with a step before and after each question to the chain."""

    def __init__(self, config: X402Config, body: Body) -> None:
        super().__init__(config)
        self._body = body

    async def verify(self, payment: Payment, charge: Charge) -> PaymentFacts:
        await self._body.step("before the verification")
        facts = await super().verify(payment, charge)
        await self._body.step("after the verification")
        return facts

    async def settle(self, payment: Payment, charge: Charge) -> Settlement:
        await self._body.step("before the settlement")
        settlement = await super().settle(payment, charge)
        await self._body.step("after the settlement")
        return settlement

    async def look_up(self, facts: PaymentFacts) -> Outcome:
        await self._body.step("before the chain is asked")
        outcome = await super().look_up(facts)
        await self._body.step("after the chain was asked")
        return outcome


class ChainProcess(Front):
    """One adapter. Its leases are not renewed: who is slower than they are loses its claim, as a sleeper would."""

    def __init__(self, owner: str, folder: Path, config: X402Config, clock: Callable[[], float]) -> None:
        """`folder` holds the ledger and the results, and outlives the process."""
        self.body = Body()
        self.rail = SteppedRail(config, self.body)
        self._ledger = SteppedLedger(ledger_url(folder), owner, clock, self.body)
        results = ResultStore(f"file://{folder / 'results'}")
        rails = {self.rail.name: self.rail}
        self.gate = Gate(rails, self._ledger, results, LIMITS)
        self.reconciler = Reconciler(rails, self._ledger, results, LIMITS)

    async def start(self) -> None:
        await self._ledger.start()
        await self.rail.start()

    async def close(self) -> None:
        """Ends also what a dead process has left: its threads, which in truth die with it."""
        await self.gate.close()
        await self.rail.close()
        await self._ledger.close()


def ledger_url(folder: Path) -> str:
    """The ledger of the processes that share `folder`."""
    return f"sqlite:///{folder / 'ledger.sqlite'}"

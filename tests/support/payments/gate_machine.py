"""Histories of paid requests with faults between any two steps, and what must be true of the money in all of them.

Nobody is charged without a result, charged twice for one purchase, or served unpaid: as the ledger's own audit sees it,
and as the balances of the chain see it.
"""

import asyncio
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from adapter.payments.ledger.audit import Report, make_report
from adapter.payments.ledger.claim import PAID, State
from adapter.payments.ledger.schema import claims
from tests.support.payments.model_rail import PRICE, RECIPIENT
from tests.support.payments.mortal import LIMITS
from tests.support.payments.world import VALIDITY_S, Purchase, Purse, Tables, World

_STATES = select(claims.c.id, claims.c.state)

LAST_STEP = 32  # A whole request has about thirty.
HOUR_S = 3600.0

# What may happen between two steps of a request; the second group may also happen when nobody asks.
WOUNDS = ("crash", "cancel", "ledger down", "results down", "node down", "sleeps through another's request")
EVENTS = ("lease", "validity", "drain", "burn", "mine", "drop pool", "reconcile", "sweep", "lose results")
SETTLEMENTS = ("", "refused", "lost_before", "lost_after")

processes = st.integers(0, 1)


class GateMachine(RuleBasedStateMachine):
    """Two processes, any number of purchases; a payer asks again after 503, and pays anew only after 402."""

    tables: Tables
    """Set by the test that runs the machine."""

    purchases: Bundle[Purchase] = Bundle("purchases")

    @initialize(target=purchases, prepaid=st.booleans(), named=st.booleans())
    def begin(self, *, prepaid: bool, named: bool) -> Purchase:
        self.tables.clear()
        self.world = World(self.tables)
        self.final: dict[str, State] = {}
        return self.world.begin_purchase(prepaid=prepaid, named=named)

    @precondition(lambda machine: len(machine.world.purchases) < 3)
    @rule(target=purchases, prepaid=st.booleans(), named=st.booleans())
    def want(self, *, prepaid: bool, named: bool) -> Purchase:
        return self.world.begin_purchase(prepaid=prepaid, named=named)

    @rule(
        purchase=purchases,
        process=processes,
        settlement=st.sampled_from(SETTLEMENTS),
        broken=st.booleans(),
        older=st.booleans(),
    )
    def ask(self, purchase: Purchase, process: int, settlement: str, *, broken: bool, older: bool) -> None:
        """The payer sends the request; `broken`: the model is; `older`: with a credential from before signing again."""
        purse, served_by = self._current(purchase, older=older), self.world.processes[process]
        self.world.rail(served_by, purse.rail).faults.settle = settlement
        self.world.run(self.world.ask(served_by, purse, broken=broken))
        self.world.recover()

    @rule(
        purchase=purchases,
        process=processes,
        what=st.sampled_from(WOUNDS + EVENTS),
        at=st.integers(1, LAST_STEP),
        settlement=st.sampled_from(SETTLEMENTS),
    )
    def ask_and_suffer(self, purchase: Purchase, process: int, what: str, at: int, settlement: str) -> None:
        """Something goes wrong before the `at`-th step of the request, and perhaps with the settlement that follows."""
        purse = self._current(purchase)
        for each in self.world.processes:
            self.world.rail(each, purse.rail).faults.settle = settlement
        self.world.run(self.world.suffer(self.world.processes[process], purse, what, at))
        self.world.recover()

    @rule(purchase=purchases, process=processes)
    def ask_three_times_at_once(self, purchase: Purchase, process: int) -> None:
        purse = self._current(purchase)
        first, second = self.world.processes[process], self.world.processes[1 - process]

        async def storm() -> None:
            await asyncio.gather(*(self.world.ask(each, purse) for each in (first, second, first)))

        self.world.run(storm())

    @rule(purchase=purchases, process=processes, what=st.sampled_from(EVENTS))
    def happen(self, purchase: Purchase, process: int, what: str) -> None:
        self.world.run(self.world.happen(what, self.world.processes[process], self._current(purchase)))

    @rule(purchase=purchases, other=purchases, process=processes)
    def cheat(self, purchase: Purchase, other: Purchase, process: int) -> None:
        """Use a credential for another picture, or its nonce, which the chain has shown to all, without the key."""
        purse, victim = self._current(purchase), self.world.processes[process]
        forged = Purse(purse.purchase, replace(purse.credential, good=False), purse.rail)
        answer = self.world.run(self.world.try_it(victim, forged, purchase.picture))
        assert answer.status in (402, 403, 503), "a forged credential was honoured"
        if other is not purchase and self._state_of(purse) not in (None, State.CLAIMED):
            # Before it is verified, a credential is bound to nothing: whoever brings it first has it.
            answer = self.world.run(self.world.try_it(victim, purse, other.picture))
            assert answer.status == 409, "one credential, two pictures"

    @rule(purchase=purchases)
    def sign_again(self, purchase: Purchase) -> None:
        """A payer who has lost the credential pays with a new one under the same name for the request."""
        if purchase.idempotency_key is not None and purchase.purses[-1].rail == "x402" and not purchase.answered:
            self.world.pay(purchase, prepaid=False)

    @invariant()
    def nothing_final_changes(self) -> None:
        """Terminal states are immutable, and no purchase is charged twice."""
        with self.tables.reader.begin() as connection:
            now = {row.id: row.state for row in connection.execute(_STATES)}
        for claim, state in self.final.items():
            assert state is not State.DELIVERED or now[claim] == State.DELIVERED, "delivered, and then not"
            assert now[claim] in PAID, "settled, and then not"
        self.final = {claim: State(state) for claim, state in now.items() if state in PAID}
        for purchase in self.world.purchases:
            assert sum(map(self.world.received, purchase.purses)) <= PRICE, "charged twice for one purchase"

    def teardown(self) -> None:
        """Faults end, time passes, payers come back: then everything received has been handed over."""
        if not hasattr(self, "world"):
            return
        try:
            self._converge()
            self.nothing_final_changes()
        finally:
            self.world.close()

    def _converge(self) -> None:
        world = self.world
        self.world.recover()
        world.chain.mine()
        world.chain.now += LIMITS.lease_s + 1
        world.run(world.processes[1].reconciler.go_round())
        world.chain.now += LIMITS.lease_s + 1
        for purse in (purse for purchase in world.purchases for purse in purchase.purses):
            if not purse.presented or not world.received(purse):
                continue
            answer = world.run(world.ask(world.processes[0], purse))
            assert answer.status == 200 or (answer.status == 410 and purse.bodies), (
                f"paid, and answered {answer.status}"
            )
        world.chain.now += VALIDITY_S + HOUR_S
        world.run(world.processes[1].reconciler.go_round())
        world.run(world.processes[1].sweeper.sweep())
        report = self._audit()
        assert report.settled == world.chain.balances.get(RECIPIENT, 0) - self._unpresented(), "received and not booked"
        assert report.delivered == report.settled, "paid and not delivered"
        assert set(report.states) <= {State.DELIVERED, State.RELEASED}, "somebody still holds a claim"

    def _audit(self) -> Report:
        with self.tables.reader.begin() as connection:
            report = make_report(connection, 0)
        assert report.violations == ()
        assert report.settled <= self.world.chain.balances.get(RECIPIENT, 0), "booked what never arrived"
        return report

    def _unpresented(self) -> int:
        """What payers have sent for credentials that they never brought."""
        purses = (purse for purchase in self.world.purchases for purse in purchase.purses if not purse.presented)
        return sum(map(self.world.received, purses))

    def _current(self, purchase: Purchase, *, older: bool = False) -> Purse:
        """The credential that the payer uses: a new one after 402, else the newest, or one found again."""
        purse = purchase.purses[-2 if older and len(purchase.purses) > 1 and not purchase.purses[-2].refused else -1]
        return self.world.pay(purchase, prepaid=purse.rail == "mpp") if purse.refused else purse

    def _state_of(self, purse: Purse) -> State | None:
        name = self.world.payment(purse).facts.keys[0]
        with self.tables.reader.begin() as connection:
            found = connection.execute(_STATES.where(claims.c.name == name)).first()
        return None if found is None else State(found.state)

"""A history of paid requests over the local chain, and what must be true of the money in all of them."""

import asyncio
from random import Random

from adapter.payments.ledger.claim import State
from tests.support.payments.chain_process import ChainProcess
from tests.support.payments.chain_world import FAULTS, ChainWorld, Purchase, Purse
from tests.support.x402_payer import PRICE

_STEPS = 7
_PURCHASES = 4
_LAST_STEP = 18  # Of a whole request, as `Body.step` counts.
# What may happen between two steps of a request, and how likely it is; events may also happen when nobody asks.
_EVENTS = ("drain", "mine", "lease", "reconcile")
_WOUNDS = {
    "crash": 4,
    "cancel": 3,
    "drain": 3,
    "node down": 2,
    "sleeps through another's request": 2,
    "mine": 1,
    "lease": 1,
    "reconcile": 1,
}


class History:
    """Chance leads: two processes, some purchases; a payer asks again after 503, and pays anew only after 402."""

    def __init__(self, world: ChainWorld, chance: Random) -> None:
        self._world = world
        self._chance = chance

    def run(self) -> None:
        """Prints what is done, for whoever reads of a failure."""
        self._want()
        rules = (self._ask, self._suffer, self._storm, self._happen, self._cheat, self._want)
        for rule in self._chance.choices(rules, weights=(2, 6, 2, 2, 1, 3), k=_STEPS):
            rule()
            self._check_books()
        self._converge()
        self._check_books()

    def _want(self) -> None:
        if len(self._world.purchases) < _PURCHASES:
            purchase = self._world.begin_purchase(poor=self._chance.random() < 0.5)
            print(purchase.picture.decode(), "by a poor payer" if purchase.poor else "")

    def _ask(self) -> None:
        process, purse = self._process(), self._purse(self._purchase())
        self._break_node()
        self._world.run(self._world.ask(process, purse))
        self._world.recover()

    def _suffer(self) -> None:
        """Something happens before a step of the request, perhaps beside what is wrong with the node."""
        process, purse = self._process(), self._purse(self._purchase())
        what, at = self._chance.choices([*_WOUNDS], [*_WOUNDS.values()])[0], self._chance.randint(1, _LAST_STEP)
        print(f"before step {at}: {what}")
        self._break_node()
        self._world.run(self._world.suffer(process, purse, what, at))
        self._world.recover()

    def _storm(self) -> None:
        """Three requests at once, to both processes."""
        purse = self._purse(self._purchase())
        print("three at once")
        self._break_node()

        async def storm() -> None:
            processes = (*self._world.processes, self._world.processes[0])
            await asyncio.gather(*(self._world.ask(each, purse) for each in processes))

        self._world.run(storm())
        self._world.recover()

    def _happen(self) -> None:
        what = self._chance.choice(_EVENTS)
        print(what)
        self._world.run(self._world.happen(what, self._process(), self._purse(self._purchase())))

    def _cheat(self) -> None:
        """Use a credential for a second picture. Before it is verified it is bound to none: whoever is first has it."""
        purse = self._purse(self._chance.choice(self._world.purchases))
        if self._world.state_of(purse) in (None, State.CLAIMED):
            return
        print("a second picture")
        answer = self._world.run(self._world.try_it(self._process(), purse, b"another"))
        assert answer.status == 409, f"one credential, two pictures: {answer.status}"

    def _check_books(self) -> None:
        report = self._world.report()
        assert report.violations == ()
        assert report.settled <= self._world.earned(), "booked what never arrived"

    def _converge(self) -> None:
        """Faults end, time passes, payers come back: then what was received is what was handed over."""
        world = self._world
        print("all is well again")
        world.mine()
        world.wait_for_leases()
        world.run(world.processes[1].reconciler.go_round())
        world.wait_for_leases()
        purses = [purse for purchase in world.purchases for purse in purchase.purses]
        for purse in purses:
            if purse.presented and not purse.refused:
                answer = world.come_back(purse)
                assert answer.status == 200 or not world.received(purse), f"paid, and answered {answer.status}"
        for purse in purses:
            assert len(purse.bodies) == bool(world.received(purse)), "paid and not served, or served two results"
        for purchase in world.purchases:
            assert sum(map(world.received, purchase.purses)) <= PRICE, "charged twice for one purchase"
        report = world.report()
        assert report.settled == world.earned() == sum(map(world.received, purses)), "received and not booked"
        assert report.delivered == report.settled, "paid and not delivered"

    def _process(self) -> ChainProcess:
        return self._chance.choice(self._world.processes)

    def _purchase(self) -> Purchase:
        """Mostly one that is still wanted."""
        every = self._world.purchases
        wanted = [purchase for purchase in every if not purchase.purses[-1].bodies]
        return self._chance.choice(wanted if wanted and self._chance.random() < 0.8 else every)

    def _purse(self, purchase: Purchase) -> Purse:
        """The credential that the payer uses: a new one after 402, else the newest."""
        purse = purchase.purses[-1]
        purse = self._world.pay(purchase) if purse.refused else purse
        print(f"{purchase.picture.decode()}, credential {len(purchase.purses)}:", end=" ")
        return purse

    def _break_node(self) -> None:
        fault = self._chance.choice(list(FAULTS)) if self._chance.random() < 0.6 else "none"
        print(f"  the node: {fault}")
        self._world.break_node(fault)

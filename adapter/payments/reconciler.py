"""Asks the chain what became of every payment whose outcome is unknown, until it is known, also after a restart."""

import asyncio
import logging
from collections.abc import Mapping

from adapter.payments.errors import RetryablePaymentError
from adapter.payments.ledger import Claim, Ledger, State
from adapter.payments.limits import GateLimits
from adapter.payments.payment import Settlement, Verdict
from adapter.payments.rail import Rail
from adapter.payments.results import ResultStore

_log = logging.getLogger(__name__)

_AT_ONCE = 8  # Questions to the chain at a time; the requests need it too.


class Reconciler:
    """One replica at a time does this; the requests themselves do not wait for it."""

    def __init__(self, rails: Mapping[str, Rail], ledger: Ledger, results: ResultStore, limits: GateLimits) -> None:
        self._rails = rails
        self._ledger = ledger
        self._results = results
        self._limits = limits

    async def go_round(self) -> None:
        """Ask once after each undecided payment, if this is the replica that does. Raises StoreUnavailableError."""
        chores = self._ledger.chores
        if not await chores.lead("reconciler", self._limits.lease_s):
            return
        undecided = await chores.undecided()
        for first in range(0, len(undecided), _AT_ONCE):
            await asyncio.gather(*map(self._look_at, undecided[first : first + _AT_ONCE]))

    async def _look_at(self, claim: Claim) -> None:
        await self._ledger.chores.seen(claim)  # First: one that fails must not stand before the others for ever.
        try:
            await self._decide(claim)
        except RetryablePaymentError as error:
            _log.warning("claim %s is still undecided: %s", claim.id, error.reason)

    async def _decide(self, claim: Claim) -> None:
        rail = self._rails.get(claim.facts.rail)
        if rail is None:  # Taken out of the configuration; the next start may have it again.
            return
        outcome = await rail.look_up(claim.facts)
        if isinstance(outcome, Settlement):
            await self._ledger.settled(claim, outcome)
            _log.info("claim %s is settled after all", claim.id)
        elif outcome is Verdict.VOID:
            # Fenced: nothing happens if the payer has come back meanwhile.
            await self._ledger.release(claim)
            await self._results.delete(claim)
        elif claim.state is State.SETTLING:
            await self._ledger.unknown(claim)

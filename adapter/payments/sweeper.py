"""Removes what is kept no longer: results some time after their delivery, and claims that can never be paid."""

from adapter.payments.errors import PaymentInProgressError
from adapter.payments.ledger import Claim, Ledger
from adapter.payments.limits import GateLimits
from adapter.payments.results import ResultStore

_DAY_S = 24 * 3600.0


class Sweeper:
    """One replica at a time does this."""

    def __init__(self, ledger: Ledger, results: ResultStore, limits: GateLimits) -> None:
        self._ledger = ledger
        self._results = results
        self._limits = limits

    async def sweep(self) -> None:
        """Sweep once, if this is the replica that does. Raises StoreUnavailableError."""
        chores = self._ledger.chores
        if not await chores.lead("sweeper", 2 * self._limits.sweep_s):
            return
        now = self._ledger.clock()
        delivered_before = now - self._limits.retention_h * 3600
        settled_before = now - self._limits.undelivered_days * _DAY_S
        while dead := await chores.dead():
            for claim in dead:
                await self._bury(claim)
        while stale := await chores.stale(delivered_before, settled_before):
            for claim in stale:
                # In this order: a crash between leaves a row whose result is gone, never a file without a row.
                await self._results.delete(claim)
                await chores.drop_result(claim)
        await chores.forget_released(now - _DAY_S)

    async def _bury(self, claim: Claim) -> None:
        try:
            if claim.verified:
                await self._ledger.release(claim)
            else:
                await self._ledger.forget(claim)
        except PaymentInProgressError:  # It has been taken over since it was read: not dead.
            return
        await self._results.delete(claim)

"""Says of the ledger what those who watch over the money need: how payments stand, and whether the books are right."""

import asyncio
import logging

from adapter import metrics
from adapter.payments.errors import StoreUnavailableError
from adapter.payments.ledger import Ledger
from adapter.payments.ledger.audit import read_report
from adapter.payments.limits import GateLimits

_log = logging.getLogger(__name__)


class Watch:
    """Reads; changes nothing but the metrics."""

    def __init__(self, ledger: Ledger, limits: GateLimits) -> None:
        self._ledger = ledger
        self._limits = limits

    async def count(self) -> None:
        """Count once; every replica does, and all see the same."""
        try:
            figures = await self._ledger.figures()
        except StoreUnavailableError:
            metrics.LEDGER_UP.set(0)
            raise
        metrics.LEDGER_UP.set(1)
        for state, count in figures.states.items():
            metrics.PAYMENTS.labels(state.value).set(count)
            metrics.PAYMENTS_AGE_S.labels(state.value).set(figures.ages_s[state])
        for kind, amount in figures.booked.items():
            metrics.BOOKED.labels(kind).set(amount)
            metrics.CLAIMED.labels(kind).set(figures.claimed[kind])

    async def audit(self) -> None:
        """Check every rule of the money, if this is the replica that does: that reads the whole ledger."""
        if not await self._ledger.chores.lead("auditor", 2 * self._limits.audit_s):
            metrics.BROKEN_RULES.set(0)
            return
        report = await asyncio.to_thread(read_report, self._ledger.url, 0)
        for violation in report.violations:
            _log.error("%s", violation)
        metrics.BROKEN_RULES.set(len(report.violations))

"""The SDK's replay store, which here remembers nothing: the ledger is the one place that knows what was used."""


class LedgerDecides:
    """Lets the SDK try a payment again, as it must after a crash or a lost reply.

    The SDK's own store would refuse the very retry that learns how a broadcast ended, and every payment after 10,000.
    Each payment is claimed in the ledger before the SDK sees it, and the chain takes a transaction once.
    """

    async def get(self, key: str) -> None:
        """Find nothing."""
        return

    async def put(self, key: str, value: object) -> None:
        """Keep nothing."""

    async def delete(self, key: str) -> None:
        """Forget nothing."""

    async def put_if_absent(self, key: str, value: object) -> bool:
        """Reserve nothing, and say it is reserved."""
        return True

"""One or more gates over one ledger and the model chain, for tests that tell one story."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapter.payments.gate import Gate, GateLimits, Ticket
from adapter.payments.ledger import Ledger
from adapter.payments.ledger.audit import Report, read_report
from adapter.payments.payment import Payment
from adapter.payments.results import ResultInfo, ResultStore
from tests.support.payments.model_chain import ModelChain, Transfer
from tests.support.payments.model_rail import PRICE, RECIPIENT, Credential, ModelRail, PrepaidRail
from tests.support.payments.world import VALIDITY_S, charge_for


class Shop:
    """A gate of its own over a shared ledger, store and chain. The clock is the chain's."""

    def __init__(self, folder: Path, url: str, chain: ModelChain, limits: GateLimits | None = None) -> None:
        self.url = url
        self.chain = chain
        self.rail, self.prepaid = ModelRail(chain), PrepaidRail(chain)
        self.ledger = Ledger(url, clock=lambda: chain.now)
        self.results = ResultStore(f"file://{folder / 'results'}")
        self.passed: list[str] = []
        rails = {rail.name: rail for rail in (self.rail, self.prepaid)}
        self.gate = Gate(rails, self.ledger, self.results, limits or GateLimits(), checkpoint=self.passed.append)
        self.works = 0

    def pay(self, nonce: str = "n", *, funds: int = PRICE, key: str | None = None, good: bool = True) -> Payment:
        """A signed payment of a payer who has `funds`."""
        self.chain.balances["0xpayer"] = funds
        valid_before = int(self.chain.now) + VALIDITY_S
        transfer = Transfer("0xpayer", RECIPIENT, PRICE, nonce, valid_before)
        return self.rail.payment(Credential(transfer, good, key))

    def push(self, nonce: str = "p", memo: str = "challenge") -> Payment:
        """A payment that is on the chain already."""
        self.chain.balances["0xpayer"] = PRICE
        transfer = Transfer("0xpayer", RECIPIENT, PRICE, nonce, memo=memo)
        self.chain.send(transfer)
        self.chain.mine()
        return self.prepaid.payment(Credential(transfer))

    async def buy(self, payment: Payment, picture: bytes = b"cat") -> bytes:
        """The whole way of a paid request; the result."""
        async with self.gate.open(payment, charge_for(picture)) as ticket:
            if ticket.result is None:
                await self.work(ticket, picture)
            await ticket.settle()
            result = b"".join([chunk async for chunk in ticket.read()])
            await ticket.delivered()
        return result

    async def work(self, ticket: Ticket, picture: bytes = b"cat") -> None:
        self.works += 1
        result = b"cut-out %d of " % self.works + picture
        await ticket.keep(ResultInfo("image/png", len(result), {"X-Width": "1"}), once(result))

    def report(self) -> Report:
        report = read_report(self.url)
        assert report.violations == ()
        return report

    def received(self) -> int:
        """Base units that have arrived on the chain."""
        return self.chain.balances.get(RECIPIENT, 0)


async def once(result: bytes) -> AsyncIterator[bytes]:
    """`result` as a stream."""
    yield result


@asynccontextmanager
async def open_shop(
    folder: Path, url: str | None = None, chain: ModelChain | None = None, limits: GateLimits | None = None
) -> AsyncIterator[Shop]:
    """A shop over the ledger at `url`, by default a SQLite file in `folder`. Its chores do not run by themselves."""
    shop = Shop(folder, url or f"sqlite:///{folder / 'ledger.sqlite'}", chain or ModelChain(), limits)
    await shop.ledger.start()
    try:
        yield shop
    finally:
        await shop.gate.close()
        await shop.ledger.close()

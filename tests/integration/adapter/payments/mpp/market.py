"""Somebody who sells, and somebody who pays: what the tests of the rail do again and again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import mpp

from adapter.payments.charge import Charge
from adapter.payments.mpp import MppConfig, MppRail
from adapter.payments.payment import Payment
from tests.support.devnet import DevChain
from tests.support.mppx import Mode, Mppx
from tests.support.processes import wait_until
from tests.support.tempo import TempoTransfer, memo_for, read_challenge

PRICE = 50_000
CHARGE = Charge(
    "remove-background", "https://example.com/v1/remove-background", PRICE, "Remove the background", body=b"a picture"
)
SECRET = "the secret that every replica of these tests knows"  # noqa: S105 - it guards nothing.


def config_for(chain: DevChain, **changes: Any) -> MppConfig:
    values = {"network": "moderato", "recipient": chain.recipient, "rpc_url": chain.rpc_url, "secret": SECRET}
    return MppConfig(**values | {"settle_s": 5.0, "receipt_wait_s": 0.5} | changes)


@asynccontextmanager
async def open_rail(chain: DevChain, **changes: Any) -> AsyncIterator[MppRail]:
    """A rail of its own settings, which sells on the same chain."""
    rail = MppRail(config_for(chain, **changes))
    try:
        yield rail
    finally:
        await rail.close()


async def ask(rail: MppRail, charge: Charge = CHARGE) -> str:
    """The challenge, as the value of WWW-Authenticate."""
    return dict((await rail.challenge(charge)).headers)["WWW-Authenticate"]


async def read(rail: MppRail, credential: str, charge: Charge = CHARGE) -> Payment:
    payment = await rail.parse([("Authorization", credential)], charge)
    assert payment is not None
    return payment


async def accept(rail: MppRail, credential: str, charge: Charge = CHARGE) -> Payment:
    """Read and verify, as the gate does before the work."""
    payment = await read(rail, credential, charge)
    return replace(payment, facts=await rail.verify(payment, charge))


@dataclass(frozen=True)
class Market:
    """A rail on `chain`, and mppx."""

    rail: MppRail
    chain: DevChain
    mppx: Mppx

    async def buy(self, mode: Mode = "pull", charge: Charge = CHARGE, *, key: str = "") -> str:
        """A real credential for a new challenge, from a new payer unless `key` names one."""
        return await self.mppx.credential(await ask(self.rail, charge), key or self.chain.funded_payer().key, mode)

    async def transfer(self, charge: Charge = CHARGE, **changes: Any) -> tuple[mpp.Challenge, TempoTransfer]:
        """A new challenge, and a transfer that pays it but for `changes`."""
        challenge = read_challenge(await ask(self.rail, charge))
        return challenge, replace(TempoTransfer(self.chain.recipient, memo_for(challenge)), **changes)

    def earned(self) -> int:
        """What the recipient has."""
        return self.chain.balance(self.chain.recipient)

    def send(self, signed: str) -> str:
        """Broadcast as a payer would, and return the hash once it is mined."""
        spent = str(self.chain.call("eth_sendRawTransaction", signed))
        wait_until(lambda: self.chain.call("eth_getTransactionReceipt", spent) is not None, "it is mined", 10)
        return spent

"""What became of a payment, from every answer a chain can give."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest
from mpp.methods.tempo import attribution

from adapter.payments.chain import Chain, Receipt, Transfer
from adapter.payments.mpp.outcome import VOID_MARGIN_S, look_up
from adapter.payments.payment import PaymentFacts, Settlement, Verdict

REALM, CHALLENGE, HASH = "clearcanvas", "the challenge's id", "0x" + "ab" * 32
PAYER, RECIPIENT, TOKEN = "0x" + "11" * 20, "0x" + "22" * 20, "0x20c0000000000000000000000000000000000000"
VALID_BEFORE = 1_000
PUSH = PaymentFacts(
    rail="mpp",
    network="eip155:42431",
    token=TOKEN,
    payer=PAYER,
    recipient=RECIPIENT,
    amount=50_000,
    keys=("mpp:42431:c", "tempo:42431:h"),
    expires_at=None,
    evidence={"challenge": CHALLENGE, "transaction": HASH},
)
PULL = replace(PUSH, expires_at=VALID_BEFORE, evidence={**PUSH.evidence, "valid_before": str(VALID_BEFORE)})
OURS = Transfer(TOKEN, PAYER, RECIPIENT, 50_000, 1, attribution.encode(CHALLENGE, REALM))


class ScriptedChain:
    """Gives each answer once, in turn; the last again and again."""

    def __init__(self, receipts: Sequence[Receipt | None], clock: int = 0) -> None:
        self._receipts, self._clock = list(receipts), clock

    async def receipt(self, transaction: str) -> Receipt | None:
        assert transaction == HASH
        return self._receipts.pop(0) if len(self._receipts) > 1 else self._receipts[0]

    async def timestamp(self) -> int:
        return self._clock

    async def block_timestamp(self, number: int) -> int:
        return number * 10


def mined(*transfers: Transfer, succeeded: bool = True) -> Receipt:
    return Receipt(HASH, succeeded, 70, transfers)


async def outcome(facts: PaymentFacts, *receipts: Receipt | None, clock: int = 0) -> object:
    return await look_up(cast("Chain", ScriptedChain(receipts, clock)), facts, REALM)


@pytest.mark.parametrize("facts", [PULL, PUSH], ids=["pull", "push"])
async def test_our_transfer_is_the_settlement_and_its_block_the_time(facts: PaymentFacts) -> None:
    plain = replace(OURS, memo=None, index=0)
    assert await outcome(facts, mined(plain, OURS)) == Settlement(HASH, 700)


@pytest.mark.parametrize(
    "changes",
    [
        {"token": PAYER},
        {"recipient": PAYER},
        {"amount": 49_999},
        {"amount": 50_001},
        {"sender": RECIPIENT},
        {"memo": None},
        {"memo": attribution.encode("another", REALM)},
        {"memo": attribution.encode(CHALLENGE, "another")},
        {"memo": "0x" + "00" * 32},
    ],
    ids=str,
)
@pytest.mark.case("P10")
async def test_any_other_transfer_settles_nothing(changes: dict[str, str]) -> None:
    assert await outcome(PULL, mined(replace(OURS, **changes))) is Verdict.VOID  # type: ignore[arg-type]


async def test_a_payer_who_is_not_known_yet_may_be_anybody() -> None:
    assert isinstance(await outcome(replace(PUSH, payer=""), mined(OURS)), Settlement)


@pytest.mark.case("P12")
async def test_reverted_is_void() -> None:
    assert await outcome(PULL, mined(succeeded=False)) is Verdict.VOID


async def test_a_hash_without_a_receipt_stays_open_for_ever() -> None:
    assert await outcome(PUSH, None, clock=10**10) is Verdict.OPEN


@pytest.mark.parametrize("clock", [0, VALID_BEFORE, VALID_BEFORE + VOID_MARGIN_S - 1])
async def test_until_the_chains_clock_is_past_the_margin_it_is_open(clock: int) -> None:
    assert await outcome(PULL, None, clock=clock) is Verdict.OPEN


async def test_after_that_it_is_void() -> None:
    assert await outcome(PULL, None, clock=VALID_BEFORE + VOID_MARGIN_S) is Verdict.VOID


async def test_a_receipt_that_turns_up_at_the_last_moment_is_seen() -> None:
    assert await outcome(PULL, None, mined(OURS), clock=VALID_BEFORE + VOID_MARGIN_S) == Settlement(HASH, 700)

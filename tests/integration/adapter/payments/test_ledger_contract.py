"""The ledger on each of its databases: the same promises."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from adapter.payments.errors import (
    PaymentInProgressError,
    PaymentSpentError,
    RequestMismatchError,
)
from adapter.payments.ledger import Claim, Ledger, State, StoredResult
from adapter.payments.ledger.audit import read_report
from adapter.payments.ledger.moving import IdempotencyTakenError
from adapter.payments.payment import PaymentFacts, Settlement
from database.engine import make_engine
from tests.support.payments.shop import open_shop
from tests.support.payments.world import charge_for

CHARGE = charge_for(b"cat")
LEASE_S = 10.0
RESULT = StoredResult("1/1/a", "image/png", 4, {"X-Width": "1"})
PAID = Settlement("0x" + "a" * 64, 1_800_000_000)

Clock = Callable[[], float]


class Time:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
async def ledgers(url: str, clock: Time) -> AsyncIterator[list[Ledger]]:
    """Two processes on one database, started at once."""
    ledgers = [Ledger(url, clock=clock) for _ in range(2)]
    await asyncio.gather(*(ledger.start() for ledger in ledgers))
    yield ledgers
    for ledger in ledgers:
        await ledger.close()


def facts_of(*keys: str, **others: object) -> PaymentFacts:
    known = {
        "rail": "x402",
        "network": "eip155:1",
        "token": "0xusd",
        "payer": "0xpayer",
        "recipient": "0xshop",
        "amount": 50_000,
        "expires_at": 1_800_000_180,
        "evidence": {"nonce": "1"},
        "proof": "signature",
    }
    return PaymentFacts(keys=keys, **known | others)  # type: ignore[arg-type]


async def bring_to(ledger: Ledger, state: State, facts: PaymentFacts) -> Claim:
    """A claim of `facts` in `state`."""
    claim = await ledger.take(facts, CHARGE, LEASE_S)
    steps = {
        State.VERIFIED: lambda claim: ledger.verified(claim, facts),
        State.WORKED: lambda claim: ledger.keep(claim, RESULT),
        State.SETTLING: ledger.settling,
        State.SETTLED: lambda claim: ledger.settled(claim, PAID),
        State.DELIVERED: ledger.delivered,
    }
    for reached, step in steps.items():
        if claim.state is state:
            break
        claim = await step(claim)
        assert claim.state is reached
    assert claim.state is state
    return claim


async def test_a_claim_is_read_as_it_was_written(ledgers: list[Ledger]) -> None:
    facts = facts_of("name", "hash", idempotency_key="order")
    await bring_to(ledgers[0], State.DELIVERED, facts)

    claim = await ledgers[1].take(facts, CHARGE, LEASE_S)

    assert (claim.facts, claim.digest, claim.operation) == (facts, CHARGE.digest, CHARGE.operation)
    assert (claim.result, claim.settlement, claim.state) == (RESULT, PAID, State.DELIVERED)


@pytest.mark.case("P1")
async def test_of_200_copies_in_two_processes_one_gets_the_claim(ledgers: list[Ledger]) -> None:
    facts = facts_of("name")
    copies = [ledgers[copy % 2].take(facts, CHARGE, LEASE_S) for copy in range(200)]

    answers = await asyncio.gather(*copies, return_exceptions=True)

    assert sum(isinstance(answer, Claim) for answer in answers) == 1
    assert sum(isinstance(answer, PaymentInProgressError) for answer in answers) == 199


@pytest.mark.case("P6")
async def test_every_key_leads_to_the_first_claim(ledgers: list[Ledger]) -> None:
    await bring_to(ledgers[0], State.VERIFIED, facts_of("challenge 1", "hash"))

    with pytest.raises(PaymentSpentError):
        await ledgers[1].take(facts_of("challenge 2", "hash"), CHARGE, LEASE_S)
    claim = await ledgers[1].take(facts_of("challenge 3"), CHARGE, LEASE_S)
    with pytest.raises(PaymentSpentError):  # It turns out to be the same transaction.
        await ledgers[1].verified(claim, facts_of("challenge 3", "hash"))


async def test_of_two_credentials_with_one_key_at_once_one_is_verified(ledgers: list[Ledger]) -> None:
    facts = [facts_of(f"challenge {number}", "hash") for number in range(2)]
    named = [facts_of(f"nonce {number}", idempotency_key="order") for number in range(2)]
    for pair, refusal in ((facts, PaymentSpentError), (named, IdempotencyTakenError)):
        taken = [
            await ledger.take(facts_of(each.keys[0]), CHARGE, LEASE_S)
            for ledger, each in zip(ledgers, pair, strict=True)
        ]
        verified = [ledger.verified(claim, each) for ledger, claim, each in zip(ledgers, taken, pair, strict=True)]

        answers = await asyncio.gather(*verified, return_exceptions=True)

        assert {type(answer) for answer in answers} == {Claim, refusal}


@pytest.mark.case("P5")
async def test_a_verified_claim_is_bound_to_its_request_and_to_its_proof(ledgers: list[Ledger]) -> None:
    await bring_to(ledgers[0], State.SETTLED, facts_of("name"))

    with pytest.raises(RequestMismatchError):
        await ledgers[1].take(facts_of("name"), charge_for(b"dog"), LEASE_S)
    with pytest.raises(PaymentSpentError):
        await ledgers[1].take(facts_of("name", proof="forged"), CHARGE, LEASE_S)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (State.CLAIMED, State.CLAIMED),
        (State.VERIFIED, State.CLAIMED),
        (State.WORKED, State.WORKED),
        (State.SETTLING, State.SETTLING),
    ],
)
async def test_what_a_dead_holder_has_left_is_taken_over_and_the_dead_can_do_nothing(
    ledgers: list[Ledger], clock: Time, before: State, after: State
) -> None:
    facts = facts_of("name")
    late = await bring_to(ledgers[0], before, facts)
    with pytest.raises(PaymentInProgressError):
        await ledgers[1].take(facts, CHARGE, LEASE_S)
    clock.now += LEASE_S - 1
    await ledgers[0].renew({late.id}, LEASE_S)
    await ledgers[1].renew({late.id}, 1000)  # Not its claim.
    clock.now += LEASE_S - 1
    with pytest.raises(PaymentInProgressError):
        await ledgers[1].take(facts, CHARGE, LEASE_S)
    clock.now += 1

    claim = await ledgers[1].take(facts, CHARGE, LEASE_S)

    assert (claim.state, claim.fence) == (after, late.fence + 1)
    for act in (ledgers[0].release, ledgers[0].unknown, ledgers[0].settling, ledgers[0].put_down):
        with pytest.raises(PaymentInProgressError):
            await act(late)
    await ledgers[0].renew({late.id}, 1000)
    assert await ledgers[1].retake(claim, LEASE_S) is None


async def test_what_the_chain_has_told_is_recorded_by_whoever_learns_it(ledgers: list[Ledger], clock: Time) -> None:
    late = await bring_to(ledgers[0], State.SETTLING, facts_of("name"))
    clock.now += LEASE_S
    (undecided,) = await ledgers[1].chores.undecided()

    await ledgers[1].settled(undecided, PAID)

    assert (await ledgers[0].settled(late, PAID)).state is State.SETTLED
    with pytest.raises(PaymentInProgressError):
        await ledgers[0].release(late)


async def test_settled_and_delivered_are_booked_once_however_often_they_are_told(
    ledgers: list[Ledger], url: str
) -> None:
    claim = await bring_to(ledgers[0], State.SETTLING, facts_of("name"))
    await asyncio.gather(*(ledgers[copy % 2].settled(claim, PAID) for copy in range(8)))
    await asyncio.gather(*(ledgers[copy % 2].delivered(claim) for copy in range(8)))

    report = await asyncio.to_thread(read_report, url)

    assert report.violations == ()
    assert (report.settled, report.delivered) == (50_000, 50_000)
    assert [(each.name, each.debits, each.credits) for each in report.accounts] == [
        ("chain:x402:eip155:1", 50_000, 0),
        ("payers", 50_000, 50_000),
        ("revenue:remove-background", 0, 50_000),
    ]


async def test_one_process_leads_at_a_time(ledgers: list[Ledger], clock: Time) -> None:
    async def lead() -> list[bool]:
        return await asyncio.gather(*(ledger.chores.lead("reconciler", LEASE_S) for ledger in ledgers))

    first = await lead()
    assert sorted(first) == [False, True]
    assert await lead() == first
    clock.now += LEASE_S
    leader = first.index(True)
    assert await ledgers[1 - leader].chores.lead("reconciler", LEASE_S)
    assert not await ledgers[leader].chores.lead("reconciler", LEASE_S)


@pytest.mark.parametrize(
    "forbidden",
    [
        "UPDATE journal SET amount = 1",
        "DELETE FROM journal",
        "UPDATE claims SET state = 'released'",
        "DELETE FROM claims",
    ],
)
async def test_the_database_itself_keeps_the_books(ledgers: list[Ledger], url: str, forbidden: str) -> None:
    await bring_to(ledgers[0], State.SETTLED, facts_of("name"))

    engine = make_engine(url, "ledger")
    with pytest.raises(DatabaseError), engine.begin() as connection:
        connection.execute(text(forbidden))
    engine.dispose()
    assert (await asyncio.to_thread(read_report, url)).violations == ()


async def test_the_whole_way_over_two_gates(url: str, tmp_path: Path) -> None:
    async with open_shop(tmp_path, url) as first, open_shop(tmp_path, url, first.chain) as second:
        payment = first.pay()
        answers = await asyncio.gather(
            *((first, second)[copy % 2].buy(payment) for copy in range(50)), return_exceptions=True
        )

        assert all(isinstance(answer, bytes | PaymentInProgressError) for answer in answers)
        assert await second.buy(payment) == await first.buy(payment)
        assert first.works + second.works == 1
        assert first.received() == 50_000
        report = await asyncio.to_thread(first.report)
        assert report.delivered == 50_000

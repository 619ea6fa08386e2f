"""The table of the jobs that are sold, on each of its databases: the same promises."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapter.payments.ledger import Ledger
from adapter.payments.payment import PaymentFacts
from adapter.sale.jobs_store import SoldJobs
from tests.support.payments.world import charge_for

CHARGE = charge_for(b"cat")
NOW = 1_800_000_000.0


@pytest.fixture
async def replicas(url: str) -> AsyncIterator[list[SoldJobs]]:
    """Two processes on one database, started at once, beside the ledger's tables."""
    ledger = Ledger(url)
    await ledger.start()
    replicas = [SoldJobs(url, clock=lambda: NOW) for _ in range(2)]
    await asyncio.gather(*(sold.start() for sold in replicas))
    yield replicas
    for sold in replicas:
        await sold.close()
    await ledger.close()


async def test_one_payment_is_chosen_however_many_come_at_once(replicas: list[SoldJobs]) -> None:
    job = await replicas[0].assign("first", 1, CHARGE, is_paid=False)
    assert (job.operation, job.amount, job.claims, job.paid_by) == (
        CHARGE.operation,
        CHARGE.amount,
        ("first",),
        None,
    )
    chosen = await asyncio.gather(*(replicas[n % 2].choose(job.id, f"claim {n}", 1) for n in range(20)))
    assert chosen.count(True) == 1
    payer = f"claim {chosen.index(True)}"
    assert await replicas[1].choose(job.id, payer, 2)  # The same again, taken once more.
    assert not await replicas[0].choose(job.id, "first", 1)


async def test_who_has_read_an_older_choice_undoes_no_newer_one(replicas: list[SoldJobs]) -> None:
    job = await replicas[0].assign("first", 1, CHARGE, is_paid=False)
    await replicas[0].choose(job.id, "first", 1)
    read = await replicas[1].find(job.id)
    assert read is not None
    await replicas[0].choose(job.id, "first", 2)
    await replicas[1].reconsider(read)
    assert not await replicas[1].choose(job.id, "second", 1)
    read = await replicas[1].find(job.id)
    assert read is not None
    await replicas[1].reconsider(read)
    assert await replicas[1].choose(job.id, "second", 1)


async def test_a_payment_leads_to_one_job_until_that_comes_to_nothing(replicas: list[SoldJobs]) -> None:
    first = await replicas[0].assign("claim", 1, CHARGE, is_paid=False)
    assert await replicas[1].assign("claim", 2, CHARGE, is_paid=False) == first
    assert (await replicas[1].join("another", first.id)).claims == ("another", "claim")
    second = await replicas[0].renew("claim", 2, first, is_paid=True)
    assert second.id != first.id
    assert (second.paid_by, second.paid_fence) == ("claim", 2)
    assert await replicas[1].renew("claim", 2, first, is_paid=True) == second
    assert await replicas[1].find_for("claim") == second


async def test_what_is_awaited_still_is_not_forgotten(url: str, replicas: list[SoldJobs]) -> None:
    ledger = Ledger(url)
    await ledger.start()
    facts = PaymentFacts("x402", "eip155:1", "0x1", "0x2", "0x3", CHARGE.amount, ("x402:1",), None)
    claim = await ledger.take(facts, CHARGE, 10)
    awaited = await replicas[0].assign(claim.id, claim.fence, CHARGE, is_paid=False)
    lost = await replicas[0].assign("a claim that was forgotten", 1, CHARGE, is_paid=False)
    assert await replicas[1].forget(NOW) == 0
    assert await replicas[1].forget(NOW + 1) == 1
    assert await replicas[1].find(lost.id) is None
    assert await replicas[1].find(awaited.id) == awaited
    assert await replicas[1].find_for("a claim that was forgotten") is None
    await ledger.close()

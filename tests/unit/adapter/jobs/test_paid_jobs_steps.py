"""Jobs that are sold, with a process that dies or sleeps between any two steps: one charge, and the result for it."""

import asyncio

import pytest
from sqlalchemy import select

from adapter.payments.ledger.audit import make_report
from adapter.sale.jobs_store import paid_jobs
from tests.support.payments.job_world import JobWorld
from tests.support.payments.model_rail import PRICE, RECIPIENT
from tests.support.payments.mortal import LIMITS, Script
from tests.support.payments.world import VALIDITY_S, Purse, World

STEPS = range(1, 44)
DAY_S = 86_400.0


def purse_of(world: World) -> Purse:
    return world.begin_purchase(prepaid=False, named=False).purses[0]


def only_job(world: World) -> str | None:
    with world.tables.reader.begin() as connection:
        return connection.execute(select(paid_jobs.c.job)).scalar_one_or_none()


def check_books(world: World) -> None:
    with world.tables.reader.begin() as connection:
        report = make_report(connection, 1)
        paying = connection.execute(select(paid_jobs.c.paid_by)).scalars().all()
    assert report.violations == ()
    assert report.settled == world.chain.balances.get(RECIPIENT, 0) == PRICE
    assert [payer is not None for payer in paying].count(True) == 1


async def order_and_die(sale: JobWorld, purse: Purse, at: int) -> None:
    """Submit at a process that dies before its `at`-th step, perhaps while it waits for the job."""
    process = sale.world.processes[0]

    async def die() -> None:
        process.body.alive = False

    process.body.script = Script(at, die)
    await sale.order(process, sale.world.payment(purse))
    await sale.pass_time()
    sale.jobs.end()
    await sale.pass_time()
    process.body.alive = False
    sale.world.recover()


@pytest.mark.case("P11")
@pytest.mark.parametrize("at", STEPS)
def test_the_same_payment_after_a_crash_is_the_same_job_and_one_charge(world: World, at: int) -> None:
    purse = purse_of(world)

    async def story() -> None:
        sale = JobWorld(world)
        await order_and_die(sale, purse, at)
        first = only_job(world)
        world.chain.now += LIMITS.lease_s + 1
        job = await sale.order(world.processes[1], world.payment(purse))
        assert isinstance(job, str)
        assert first in (None, job)
        sale.jobs.end()
        await sale.pass_time()
        assert await sale.fetch(world.processes[1], job) == 200
        assert list(sale.jobs.jobs) == [job]
        await sale.close()

    world.run(story())
    check_books(world)


@pytest.mark.parametrize("at", STEPS)
def test_a_payment_that_was_lost_in_a_crash_is_made_anew_at_most_once(world: World, at: int) -> None:
    """The payer has nothing but the job's id; where the chain has to tell first, it is told 503 meanwhile."""
    purse = purse_of(world)
    again = world.pay(world.purchases[0], prepaid=False)

    async def story() -> None:
        sale = JobWorld(world)
        await order_and_die(sale, purse, at)
        job = only_job(world)
        if job is None or job not in sale.jobs.jobs:
            return  # Nobody was told of a job, and nothing was paid for one.
        world.chain.now += LIMITS.lease_s + 1
        process = world.processes[1]
        status = await sale.fetch(process, job)
        if status == 503:
            assert await sale.fetch(process, job, world.payment(again)) == 503
            assert not world.received(again)
            world.chain.now += VALIDITY_S
            await process.reconciler.go_round()
            world.pay(world.purchases[0], prepaid=False)
            status = await sale.fetch(process, job)
        if status == 402:
            latest = world.purchases[0].purses[-1]
            assert await sale.fetch(process, job, world.payment(latest)) == 200
            assert await sale.order(process, world.payment(purse)) in (job, 402)
            await sale.pass_time()
        assert await sale.fetch(process, job) == 200
        await sale.close()

    world.run(story())
    if world.chain.balances.get(RECIPIENT, 0):
        check_books(world)


@pytest.mark.case("J2")
@pytest.mark.parametrize("at", STEPS)
def test_a_process_that_wakes_late_does_not_charge_again(world: World, at: int) -> None:
    """While one sleeps before some step, the payer pays for the result elsewhere, where it is asked to."""
    purse = purse_of(world)
    again = world.pay(world.purchases[0], prepaid=False)

    async def story() -> None:
        sale = JobWorld(world)
        sleeper, other = world.processes

        async def sleep() -> None:
            world.chain.now += LIMITS.lease_s + 1
            job = only_job(world)
            if job in sale.jobs.jobs:
                sale.jobs.end()
                if await sale.fetch(other, job) == 402:
                    await sale.fetch(other, job, world.payment(again))

        sleeper.body.script = Script(at, sleep)
        await sale.order(sleeper, world.payment(purse))
        await sale.pass_time()
        sale.jobs.end()
        await sale.pass_time()
        world.chain.now += LIMITS.lease_s + 1
        job = await sale.order(other, world.payment(purse))
        await sale.pass_time()
        sale.jobs.end()
        await sale.pass_time()
        assert isinstance(job, str)
        assert await sale.fetch(other, job) == 200
        await sale.close()

    world.run(story())
    assert world.received(purse) + world.received(again) == PRICE
    check_books(world)


def test_three_payments_at_once_are_one_charge(world: World) -> None:
    purse = purse_of(world)
    others = [world.pay(world.purchases[0], prepaid=False) for _ in range(3)]

    async def story() -> None:
        sale = JobWorld(world)
        job = await sale.order(world.processes[0], world.payment(purse))
        assert isinstance(job, str)
        world.processes[0].body.alive = False
        world.recover()
        world.chain.now += LIMITS.lease_s + 1
        sale.jobs.end()
        first, second = world.processes
        tills = zip((first, second, first), others, strict=True)
        await asyncio.gather(*(sale.fetch(till, job, world.payment(each)) for till, each in tills))
        assert await sale.fetch(second, job) == 200
        await sale.close()

    world.run(story())
    check_books(world)


def test_a_job_that_fails_costs_nothing_and_its_payment_buys_another(world: World) -> None:
    purse = purse_of(world)

    async def story() -> None:
        sale, process = JobWorld(world), world.processes[0]
        failed = await sale.order(process, world.payment(purse))
        sale.jobs.end(well=False)
        await sale.pass_time()
        assert not world.received(purse)
        job = await sale.order(process, world.payment(purse))
        assert job != failed
        sale.jobs.end()
        await sale.pass_time()
        assert await sale.fetch(process, str(job)) == 200
        await sale.close()

    world.run(story())
    assert world.received(purse) == PRICE


@pytest.mark.parametrize("fetched", [True, False], ids=["fetched", "expired"])
def test_a_payment_buys_another_job_only_where_its_result_never_arrived(world: World, *, fetched: bool) -> None:
    """Its delivery is not booked yet, or never was: the service says whether there was one."""
    purse = purse_of(world)

    async def story() -> None:
        sale, process = JobWorld(world), world.processes[0]
        job = await sale.order(process, world.payment(purse))
        sale.jobs.end()
        await sale.pass_time()
        sale.jobs.remove(fetched=fetched)
        assert (await sale.order(process, world.payment(purse)) == job) is fetched
        assert len(sale.jobs.jobs) == (1 if fetched else 2)
        await sale.close()

    world.run(story())
    assert world.received(purse) == PRICE


def test_a_payment_that_expires_while_its_job_is_at_work_is_made_anew(world: World) -> None:
    purse = purse_of(world)

    async def story() -> None:
        sale, process = JobWorld(world), world.processes[0]
        job = await sale.order(process, world.payment(purse))
        assert isinstance(job, str)
        world.chain.now += VALIDITY_S
        sale.jobs.end()
        await sale.pass_time()
        assert await sale.fetch(process, job) == 402
        assert await sale.order(process, world.payment(purse)) == job
        again = world.pay(world.purchases[0], prepaid=False)
        assert await sale.fetch(process, job, world.payment(again)) == 200
        assert await sale.order(process, world.payment(purse)) == job
        assert world.received(again) == PRICE
        await sale.close()

    world.run(story())
    check_books(world)


@pytest.mark.case("P13")
def test_a_payment_that_expires_before_the_longest_job_is_refused(world: World) -> None:
    purse = purse_of(world)

    async def story() -> None:
        sale = JobWorld(world)
        world.chain.now += VALIDITY_S - LIMITS.work_s - sale.charge.work_s - 9
        assert await sale.order(world.processes[0], world.payment(purse)) == 402
        assert sale.jobs.jobs == {}

    world.run(story())


def test_what_nothing_can_come_of_is_forgotten(world: World) -> None:
    purse = purse_of(world)

    async def story() -> None:
        sale, process = JobWorld(world), world.processes[0]
        job = await sale.order(process, world.payment(purse))
        counter = sale.counter(process)
        world.chain.now += 40 * DAY_S
        await counter.sweep()
        assert only_job(world) == job  # A claim is open on it.
        await sale.close()
        await counter.sweep()
        assert only_job(world) is None

    world.run(story())


def test_the_steps_reach_past_the_end_of_a_sale(world: World) -> None:
    purse = purse_of(world)

    async def story() -> None:
        sale = JobWorld(world)
        await sale.order(world.processes[0], world.payment(purse))
        sale.jobs.end()
        await sale.pass_time()
        await sale.close()

    world.run(story())
    assert world.received(purse) == PRICE
    assert 20 < len(world.processes[0].body.steps) < STEPS[-1]

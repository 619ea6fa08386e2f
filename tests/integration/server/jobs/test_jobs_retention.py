"""What is kept for how long, and what is picked up that was left lying, on both databases."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from dbos import DBOS

from server.errors import JobNotFoundError, ResultGoneError
from server.jobs.paths import input_path, output_path
from server.jobs.record import Order, State
from tests.support.fake_runner import make_order
from tests.support.job_bench import HOUR, Bench, open_bench


@pytest.fixture(scope="module")
async def bench(database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with open_bench(database, tmp_path_factory.mktemp("jobs")) as bench:
        yield bench


@pytest.mark.case("J7")
async def test_a_clock_that_jumps_lets_nothing_expire_in_a_mass(bench: Bench) -> None:
    await bench.hours(1)
    orders = [await _made(bench) for _ in range(3)]
    for jump in (30 * 24 * HOUR, -60 * 24 * HOUR, 30 * 24 * HOUR, HOUR):
        bench.clock.time += jump
        await bench.jobs.sweeper.sweep()
    for order in orders:
        assert (await bench.jobs.finished(order.id, order.owner)).result
    await bench.hours(24)
    for order in orders:
        with pytest.raises(ResultGoneError):
            await bench.jobs.finished(order.id, order.owner)


@pytest.mark.case("J10")
@pytest.mark.case("J13")
async def test_a_result_expires_then_its_files_go_then_its_record(bench: Bench) -> None:
    await bench.hours(1)
    order = await _made(bench)
    await bench.hours(23)
    record = await bench.jobs.finished(order.id, order.owner)
    assert record.result
    assert record.ended
    assert (record.result.expires - record.ended).total_seconds() == 24 * HOUR
    await bench.hours(1)
    with pytest.raises(ResultGoneError):
        await bench.jobs.finished(order.id, order.owner)
    assert await bench.paths(order) == [record.result.path], "a download that has begun may read on"
    await bench.hours(2)
    assert await bench.paths(order) == []
    await bench.hours(22)
    with pytest.raises(JobNotFoundError):
        await bench.jobs.get(order.id, order.owner)


@pytest.mark.case("J13")
async def test_files_that_belong_to_nothing_go_on_the_second_sight(bench: Bench) -> None:
    made, unknown = await _made(bench), make_order()
    strays = [
        input_path(unknown.id, "ab", "input"),  # of a submission that came to nothing, or that is just being made
        output_path(unknown.id, 1, "result"),
        input_path(made.id, "ab", "input"),
        output_path(made.id, 7, "result"),  # of a server that woke late and died at once
    ]
    for path in strays:
        await bench.store.put_file(path, bench.source)
    await bench.jobs.sweeper.sweep_strays()
    assert await bench.paths(unknown) == sorted(strays[:2])
    await bench.hours(2)
    await bench.jobs.sweeper.sweep_strays()
    assert await bench.paths(unknown) == []
    assert await bench.paths(made) == [output_path(made.id, 1, "result")]


@pytest.mark.case("J13")
async def test_the_files_of_a_job_at_work_are_never_strays(bench: Bench, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    order = make_order({"gate": str(gate)})
    await bench.submit(order)
    for _ in range(2):
        await bench.jobs.sweeper.sweep_strays()
        await bench.hours(3)
    assert await bench.paths(order) == [input_path(order.id, "ab", "input")]
    gate.touch()
    assert (await bench.end(order)).state is State.SUCCEEDED


@pytest.mark.case("J8")
async def test_an_accepted_job_that_is_in_no_queue_is_enqueued_by_the_sweep(bench: Bench, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    for _ in range(4):
        await bench.submit(make_order({"gate": str(gate)}))
    order = make_order()
    await bench.submit(order)
    await asyncio.to_thread(DBOS.delete_workflow, order.id)
    gate.touch()
    await bench.hours(1)
    assert (await bench.end(order)).state is State.SUCCEEDED


async def _made(bench: Bench) -> Order:
    order = make_order()
    await bench.submit(order)
    assert (await bench.end(order)).state is State.SUCCEEDED
    return order

"""Jobs from their submission to their end, on both databases."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from server.errors import (
    JobConflictError,
    JobFailedError,
    JobNotFinishedError,
    JobNotFoundError,
    ResultGoneError,
    StoreUnavailableError,
)
from server.jobs.record import Failure, Json, Kind, Record, State
from tests.support.fake_runner import Spec, make_order
from tests.support.job_bench import Bench, open_bench
from tests.support.processes import eventually


class Bell:
    """An errand that is refused twice before it is done."""

    name = "bell"

    def __init__(self) -> None:
        self.rung: list[tuple[str, State]] = []
        self.withdrawn: list[str] = []

    def wanted(self, record: Record) -> bool:
        """Those who left an address."""
        return bool(record.webhook_url)

    async def run(self, record: Record) -> Json:
        """Ring."""
        self.rung.append((record.id, record.state))
        if [job for job, _ in self.rung].count(record.id) < 3:
            raise StoreUnavailableError("Nobody is at home.")
        return {"rung": True}

    async def withdraw(self, record: Record) -> None:
        """Apologise."""
        self.withdrawn.append(record.id)


BELL = Bell()


@pytest.fixture(scope="module")
async def bench(database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with open_bench(database, tmp_path_factory.mktemp("jobs"), [BELL]) as bench:
        yield bench


async def test_a_job_is_worked_off_and_its_result_is_kept(bench: Bench) -> None:
    order = make_order({"parts": 3, "part_s": 0.1})
    accepted = await bench.submit(order)
    assert (accepted.state, accepted.attempt, accepted.done) == (State.QUEUED, 0, 0)
    with pytest.raises(JobNotFinishedError):
        await bench.jobs.finished(order.id, order.owner)

    seen = [record async for record in bench.jobs.watch(order.id, order.owner)]

    assert seen[-1] == await bench.jobs.finished(order.id, order.owner)
    assert (seen[-1].state, seen[-1].attempt, seen[-1].done, seen[-1].total) == (State.SUCCEEDED, 1, 3, 3)
    result = seen[-1].result
    assert result is not None
    assert (result.content_type, result.size, result.facts) == ("text/plain", 9, {"attempt": 1})
    assert b"".join([part async for part in bench.store.open_range(result.path, 0, 9)]) == b"the input"
    assert [record.state for record in seen][:2] == [State.QUEUED, State.RUNNING]


async def test_the_same_id_again_is_the_same_job(bench: Bench) -> None:
    order = make_order()
    await asyncio.gather(*(bench.submit(order) for _ in range(5)))
    ended = await bench.end(order)
    assert await bench.submit(order) == ended
    assert bench.runner.told("begun").count((order.id, 1)) == 1
    for other in (replace(order, digest="cd"), replace(order, owner="somebody else")):
        with pytest.raises(JobConflictError):
            await bench.submit(other)


@pytest.mark.case("J11")
async def test_other_peoples_jobs_do_not_exist(bench: Bench) -> None:
    order = make_order()
    await bench.submit(order)
    await bench.end(order)
    for job, owner in ((order.id, "you"), (order.id, ""), ("../../etc/passwd", "me"), (order.id.upper(), "me")):
        for call in (bench.jobs.get, bench.jobs.finished, bench.jobs.cancel, bench.jobs.delete):
            with pytest.raises(JobNotFoundError):
                await call(job, owner)


@pytest.mark.case("J4")
@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ("PROCESSING_FAILED", Failure("PROCESSING_FAILED", "attempt 3 failed")),
        ("MODEL_UNAVAILABLE", Failure("MODEL_UNAVAILABLE", "attempt 3 failed")),
        ("BUG", Failure("PROCESSING_FAILED", "The work failed for a reason of the service's own.")),
    ],
)
async def test_poison_fails_after_three_attempts_with_the_reason_kept(
    bench: Bench, fault: str, failure: Failure
) -> None:
    order = make_order({"fault": fault})
    await bench.submit(order)
    ended = await bench.end(order)
    assert (ended.state, ended.attempt, ended.failure, ended.result) == (State.FAILED, 3, failure, None)
    with pytest.raises(JobFailedError, match=failure.message):
        await bench.jobs.finished(order.id, order.owner)
    await bench.cleared_up(order)


@pytest.mark.case("J8")
async def test_a_store_that_is_away_for_long_uses_up_no_attempt(bench: Bench) -> None:
    order = make_order({"fault": "STORE_UNAVAILABLE", "faulty": 5})
    await bench.submit(order)
    ended = await bench.end(order)
    assert (ended.state, ended.attempt) == (State.SUCCEEDED, 6)


async def test_what_can_never_work_is_attempted_once(bench: Bench) -> None:
    order = make_order({"fault": "INVALID_VIDEO"})
    await bench.submit(order)
    ended = await bench.end(order)
    assert (ended.state, ended.attempt) == (State.FAILED, 1)
    assert ended.failure == Failure("INVALID_VIDEO", "attempt 1 failed")


async def test_an_attempt_has_its_time(bench: Bench) -> None:
    order = make_order({"gate": "/nowhere", "faulty": 0}, kind=Kind.VIDEO)
    await bench.submit(order)
    ended = await bench.end(order)
    assert ended.state is State.FAILED
    assert ended.failure
    assert ended.failure.reason == "DEADLINE_EXCEEDED"
    assert bench.runner.told("killed")[-3:] != []


@pytest.mark.case("J6")
async def test_progress_never_goes_back_not_even_when_the_work_begins_again(bench: Bench) -> None:
    order = make_order({"parts": 5, "part_s": 0.08, "fault": "PROCESSING_FAILED", "faulty": 2})
    await bench.submit(order)
    seen = [record async for record in bench.jobs.watch(order.id, order.owner)]
    assert (seen[-1].state, seen[-1].attempt) == (State.SUCCEEDED, 3)
    done = [record.done for record in seen]
    assert done == sorted(done)
    assert State.QUEUED in [record.state for record in seen if record.attempt == 1]


@pytest.mark.case("J5")
async def test_a_running_job_is_cancelled_and_its_worker_killed(bench: Bench) -> None:
    order = make_order({"gate": "/nowhere"})
    await bench.submit(order)
    await eventually(lambda: (order.id, 1) in bench.runner.told("begun"), "the job runs")
    cancelled = await bench.jobs.cancel(order.id, order.owner)
    assert cancelled.state is State.CANCELLED
    assert cancelled.ended
    await eventually(lambda: (order.id, 1) in bench.runner.told("killed"), "the worker was killed")
    assert await bench.jobs.cancel(order.id, order.owner) == cancelled
    assert await bench.end(order) == cancelled
    with pytest.raises(JobFailedError, match="cancelled"):
        await bench.jobs.finished(order.id, order.owner)
    await bench.cleared_up(order)


@pytest.mark.case("J5")
async def test_a_queued_job_is_cancelled_and_never_begins(bench: Bench, tmp_path: Path) -> None:
    first, second = (make_order({"gate": str(tmp_path / "gate"), "faulty": 0}) for _ in range(2))
    blockers = [make_order({"gate": str(tmp_path / "gate")}) for _ in range(4)]
    for order in blockers:
        await bench.submit(order)
    for order in (first, second):
        await bench.submit(order)
    assert (await bench.jobs.cancel(first.id, first.owner)).state is State.CANCELLED
    (tmp_path / "gate").touch()
    assert (await bench.end(second)).state is State.SUCCEEDED
    assert [job for job, _ in bench.runner.told("begun") if job == first.id] == []


@pytest.mark.case("J5")
async def test_a_finished_job_stays_as_it_is_when_it_is_cancelled(bench: Bench) -> None:
    order = make_order()
    await bench.submit(order)
    ended = await bench.end(order)
    assert await bench.jobs.cancel(order.id, order.owner) == ended


async def test_a_deleted_job_is_not_found_and_leaves_nothing(bench: Bench) -> None:
    running, ended = make_order({"gate": "/nowhere"}), make_order()
    for order in (running, ended):
        await bench.submit(order)
    await bench.end(ended)
    await eventually(lambda: (running.id, 1) in bench.runner.told("begun"), "the job runs")
    for order in (running, ended):
        await bench.jobs.delete(order.id, order.owner)
        with pytest.raises(JobNotFoundError):
            await bench.jobs.get(order.id, order.owner)
        with pytest.raises(JobConflictError):
            await bench.submit(order)
        assert await bench.paths(order) == []
        assert order.id in BELL.withdrawn
    await eventually(lambda: (running.id, 1) in bench.runner.told("killed"), "the worker was killed")


@pytest.mark.case("J9")
async def test_a_result_is_gone_once_all_of_it_has_arrived(bench: Bench) -> None:
    order = make_order()
    await bench.submit(order)
    await bench.end(order)
    for offset, length in ((0, 4), (6, 3), (0, 2), (3, 2)):  # 5 never arrives.
        await bench.jobs.confirm_download(order.id, order.owner, offset, length)
        assert (await bench.jobs.finished(order.id, order.owner)).result
    await bench.jobs.confirm_download(order.id, order.owner, 5, 4)
    with pytest.raises(ResultGoneError):
        await bench.jobs.finished(order.id, order.owner)
    assert (await bench.jobs.get(order.id, order.owner)).state is State.SUCCEEDED


@pytest.mark.parametrize("spec", [{}, {"fault": "INVALID_VIDEO"}], ids=["succeeded", "failed"])
async def test_an_errand_is_run_until_it_is_done(bench: Bench, spec: Spec) -> None:
    order = make_order(spec, webhook_url="https://example.com")
    await bench.submit(order)
    ended = await bench.end(order)
    await eventually(lambda: BELL.rung.count((order.id, ended.state)) == 3, "the bell was rung three times")
    while ended.result and "rung" not in ended.result.facts:
        await asyncio.sleep(0.02)
        ended = await bench.jobs.get(order.id, order.owner)

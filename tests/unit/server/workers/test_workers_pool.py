"""The pool: whatever happens in a worker costs one request, and the next one succeeds."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from server.errors import DeadlineExceededError, InvalidImageError, ProcessingFailedError, WorkerLostError
from server.workers.limits import WorkerLimits
from server.workers.pool import WorkerPool
from tests.support import worker_functions as work
from tests.support.processes import wait_until

MIB = 1024 * 1024
LIMITS = WorkerLimits(address_space=1024 * MIB, file_size=MIB, cpu_s=1)
LONG_S = 60.0


def initialize(limits: WorkerLimits) -> None:
    limits.apply()


def limited(limits: WorkerLimits, marker: Path) -> None:
    limits.begin_task()
    work.burn_cpu(marker)


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(2, initialize, LIMITS, preload=("pebble.pool.process", "tests.support.worker_functions"))
    await pool.start()
    try:
        yield pool
    finally:
        pids = pool.pids
        await pool.close()
        assert not any(psutil.pid_exists(pid) for pid in pids)


async def until_written(marker: Path) -> int:
    await asyncio.to_thread(wait_until, lambda: marker.exists() and marker.read_text() != "", f"{marker} is written")
    return int(marker.read_text())


async def all_workers_answer(pool: WorkerPool) -> None:
    """Wait until every slot is back: tasks that overlap run in as many processes as the pool has."""
    answered: set[int] = set()
    while len(answered) < 2:
        answered = set(await asyncio.gather(*(pool.run(work.pid_after, 0.1, timeout_s=LONG_S) for _ in range(2))))
    assert answered == pool.pids


async def test_a_result_comes_back(pool: WorkerPool) -> None:
    assert await pool.run(work.add, 1, 2, timeout_s=LONG_S) == 3


async def test_more_tasks_than_workers_all_finish(pool: WorkerPool) -> None:
    results = await asyncio.gather(*(pool.run(work.add, n, n, timeout_s=LONG_S) for n in range(50)))
    assert results == [2 * n for n in range(50)]


async def test_errors_of_the_service_cross_the_border_and_keep_the_worker(pool: WorkerPool) -> None:
    pids = pool.pids
    with pytest.raises(InvalidImageError, match="not a picture") as caught:
        await pool.run(work.refuse, timeout_s=LONG_S)
    assert caught.value.metadata == {"offset": "3"}
    assert pool.pids == pids


async def test_a_bug_is_raised_as_itself_and_its_worker_replaced(pool: WorkerPool) -> None:
    with pytest.raises(ZeroDivisionError):
        await pool.run(work.break_a_rule, timeout_s=LONG_S)
    await all_workers_answer(pool)


@pytest.mark.parametrize("function", [work.unpicklable, work.raise_what_cannot_be_read])
async def test_an_answer_that_cannot_cross_the_border_is_an_error(
    pool: WorkerPool, function: Callable[[], object]
) -> None:
    with pytest.raises(ProcessingFailedError):
        await pool.run(function, timeout_s=LONG_S)
    await all_workers_answer(pool)


@pytest.mark.case("M10")
async def test_a_crash_fails_that_task_only(pool: WorkerPool, tmp_path: Path) -> None:
    neighbour = asyncio.create_task(pool.run(work.sleep, 1.0, tmp_path / "neighbour", timeout_s=LONG_S))
    await until_written(tmp_path / "neighbour")
    with pytest.raises(ProcessingFailedError):
        await pool.run(work.crash, timeout_s=LONG_S)
    await neighbour
    await all_workers_answer(pool)


@pytest.mark.case("M10")
async def test_a_hang_in_c_is_killed_at_the_deadline(pool: WorkerPool, tmp_path: Path) -> None:
    with pytest.raises(DeadlineExceededError):
        await pool.run(work.spin, tmp_path / "pid", timeout_s=1.0)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
    await all_workers_answer(pool)


@pytest.mark.case("M10")
async def test_eight_gigabytes_fail_that_task_only(pool: WorkerPool) -> None:
    with pytest.raises(ProcessingFailedError, match="memory"):
        await pool.run(work.allocate, 8 * 1024 * MIB, timeout_s=LONG_S)
    await all_workers_answer(pool)


async def test_memory_under_the_limit_is_given(pool: WorkerPool) -> None:
    assert await pool.run(work.allocate, 256 * MIB, timeout_s=LONG_S) == 256 * MIB


@pytest.mark.case("M10")
async def test_processor_time_over_the_limit_ends_the_task(pool: WorkerPool, tmp_path: Path) -> None:
    with pytest.raises(ProcessingFailedError):
        await pool.run(limited, LIMITS, tmp_path / "pid", timeout_s=LONG_S)
    await all_workers_answer(pool)


async def test_processor_time_is_counted_for_each_task(pool: WorkerPool) -> None:
    for _ in range(8):  # 4 s in all, and no task is over 1 s
        await pool.run(work.burn_for, LIMITS, 0.5, timeout_s=LONG_S)


async def test_a_file_over_the_limit_is_an_error(pool: WorkerPool, tmp_path: Path) -> None:
    await pool.run(work.write_file, tmp_path / "small", MIB, timeout_s=LONG_S)
    with pytest.raises(OSError, match="File too large"):
        await pool.run(work.write_file, tmp_path / "large", MIB + 1, timeout_s=LONG_S)


@pytest.mark.case("H11")
async def test_cancelling_kills_the_worker_and_no_other(pool: WorkerPool, tmp_path: Path) -> None:
    neighbour = asyncio.create_task(pool.run(work.sleep, 1.5, tmp_path / "neighbour", timeout_s=LONG_S))
    task = asyncio.create_task(pool.run(work.sleep, LONG_S, tmp_path / "pid", timeout_s=LONG_S))
    pid = await until_written(tmp_path / "pid")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not psutil.pid_exists(pid)
    await neighbour
    await all_workers_answer(pool)


@pytest.mark.case("H11")
async def test_cancelling_a_waiting_task_takes_it_out_of_the_queue(pool: WorkerPool, tmp_path: Path) -> None:
    running = [asyncio.create_task(pool.run(work.sleep, 1.0, tmp_path / str(n), timeout_s=LONG_S)) for n in range(2)]
    await until_written(tmp_path / "0")
    await until_written(tmp_path / "1")
    waiting = asyncio.create_task(pool.run(work.sleep, 0.0, tmp_path / "waiting", timeout_s=LONG_S))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.gather(*running)
    await all_workers_answer(pool)
    assert not (tmp_path / "waiting").exists()


async def test_the_deadline_counts_the_time_in_the_queue(pool: WorkerPool, tmp_path: Path) -> None:
    running = [asyncio.create_task(pool.run(work.sleep, 1.0, tmp_path / str(n), timeout_s=LONG_S)) for n in range(2)]
    await until_written(tmp_path / "0")
    await until_written(tmp_path / "1")
    with pytest.raises(DeadlineExceededError):
        await pool.run(work.add, 1, 2, timeout_s=0.05)
    await asyncio.gather(*running)


async def test_killing_a_busy_worker_asks_the_caller_to_try_again(pool: WorkerPool, tmp_path: Path) -> None:
    task = asyncio.create_task(pool.run(work.sleep, LONG_S, tmp_path / "pid", timeout_s=LONG_S))
    os.kill(await until_written(tmp_path / "pid"), signal.SIGKILL)
    with pytest.raises(WorkerLostError):
        await task
    await all_workers_answer(pool)


async def test_killing_every_idle_worker_costs_nothing(pool: WorkerPool) -> None:
    for pid in pool.pids:
        os.kill(pid, signal.SIGKILL)
    assert await asyncio.gather(*(pool.run(work.add, n, 1, timeout_s=LONG_S) for n in range(4))) == [1, 2, 3, 4]
    await all_workers_answer(pool)


SCRUBBED = """
import asyncio
import ctypes
from server.workers.limits import scrub_environment
from server.workers.pool import WorkerPool
from tests.support.worker_functions import environment, nothing

async def show():
    pool = WorkerPool(1, nothing)
    await pool.start()
    print(await pool.run(environment, timeout_s=60))
    print("dumpable", ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
    await pool.close()

scrub_environment()
asyncio.run(show())
"""


@pytest.mark.case("V4")
async def test_a_worker_sees_only_the_allowed_environment() -> None:
    """A secret of the server is neither in the worker's environment nor in what /proc shows of it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SCRUBBED,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"CLEARCANVAS_SECRET": "canary-8f3a"},
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0
    assert "PATH" in output
    assert "MALLOC_ARENA_MAX" in output
    assert "canary-8f3a" not in output
    assert "dumpable 0" in output, "what the server began with is not for its workers to read in /proc"

"""Servers that die, sleep and leave: their jobs are finished by others, once. Real processes, on both databases."""

import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from database.engine import make_engine
from server.jobs.paths import output_path
from server.jobs.record import Order
from server.jobs.settings import Periods
from tests.support.fake_runner import Spec
from tests.support.job_server import JobServerOptions, RefusedError, RunningJobServer, running_job_server
from tests.support.postgres import RunningPostgres
from tests.support.processes import wait_until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "input").write_text("the input")
    (tmp_path / "journal").mkdir()
    return tmp_path


@pytest.fixture
def options(database: str, folder: Path) -> JobServerOptions:
    return JobServerOptions(database, folder)


@pytest.mark.case("J1")
def test_the_jobs_of_a_killed_server_are_finished_by_another(options: JobServerOptions) -> None:
    gate = options.folder / "gate"
    with running_job_server(options) as doomed:
        orders = [doomed.submit({"gate": str(gate)}) for _ in range(6)]
        wait_until(lambda: _count(options, "begun") == 4, "its slots are full")
        doomed.kill()
    gate.touch()
    with running_job_server(options) as other:
        _wait_for(other, orders)
        attempts = sorted(other.get(order)["attempt"] for order in orders)
    assert attempts == [1, 1, 2, 2, 2, 2]
    _wait_for_one_result_each(options, orders)


@pytest.mark.case("J1")
def test_of_two_servers_one_is_killed_amid_twenty_jobs_and_all_finish(postgres: RunningPostgres, folder: Path) -> None:
    options = JobServerOptions(postgres.create_database(), folder, periods=Periods())
    gate = folder / "gate"
    with running_job_server(options) as doomed, running_job_server(options) as other:
        orders = [other.submit({"gate": str(gate)}) for _ in range(20)]
        wait_until(lambda: _count(options, "begun") == 8, "the slots of both are full")
        doomed.kill()
        gate.touch()
        _wait_for(other, orders)
        assert Counter(other.get(order)["attempt"] for order in orders) == {1: 16, 2: 4}
    _wait_for_one_result_each(options, orders)


@pytest.mark.case("J2")
def test_a_server_that_wakes_late_cannot_write(options: JobServerOptions) -> None:
    gate = options.folder / "gate"
    with running_job_server(options) as sleeper:
        order = sleeper.submit({"gate": str(gate)})
        wait_until(lambda: _count(options, "begun") == 1, "it runs")
        _pause(sleeper, options)
        with running_job_server(options) as other:
            gate.touch()
            _wait_for(other, [order])
            ended = other.get(order)
            sleeper.process.send_signal(signal.SIGCONT)
            wait_until(lambda: _ended(options) == 2, "it has come to an end, perhaps because its input is gone")
            assert sleeper.get(order) == ended == other.get(order)
            assert ended["attempt"] == 2
            _wait_for_one_result_each(options, [order])
            again = sleeper.submit()
            _wait_for(sleeper, [again])


@pytest.mark.case("J5")
def test_a_job_is_cancelled_at_whichever_server_it_runs(options: JobServerOptions) -> None:
    with running_job_server(options) as one, running_job_server(options) as other:
        orders = [one.submit({"gate": "/nowhere"}) for _ in range(5)]
        wait_until(lambda: _count(options, "begun") == 5, "both are at work, for one has four slots")
        ended = [other.cancel(order) for order in orders]
        wait_until(lambda: _count(options, "killed") == 5, "every worker was killed")
        assert [one.get(order) for order in orders] == ended


@pytest.mark.case("J14")
def test_all_jobs_finish_through_a_rolling_deploy(options: JobServerOptions) -> None:
    spec: Spec = {"parts": 5, "part_s": 0.1}
    orders: list[Order] = []
    with ExitStack() as stack:
        old = stack.enter_context(running_job_server(options))
        for _ in range(2):
            new = stack.enter_context(running_job_server(options))
            begun = _count(options, "begun")
            orders += [new.submit(spec) for _ in range(8)]
            wait_until(partial(_more_than, options, "begun", begun + 4), "both are at work, for one has four slots")
            old.stop()
            old = new
        _wait_for(old, orders)
    _wait_for_one_result_each(options, orders)


def _pause(server: RunningJobServer, options: JobServerOptions) -> None:
    """SIGSTOP, but not while it holds the one lock of SQLite: until it wakes, nobody at all could write."""
    while True:
        server.process.send_signal(signal.SIGSTOP)
        engine = make_engine(options.url, "jobs")
        try:
            engine.connect().begin().rollback()
        except OperationalError:
            server.process.send_signal(signal.SIGCONT)
        else:
            return
        finally:
            engine.dispose()


def _wait_for(server: RunningJobServer, orders: Sequence[Order]) -> None:
    wait_until(lambda: all(_succeeded(server, order) for order in orders), "all jobs have succeeded")


def _wait_for_one_result_each(options: JobServerOptions, orders: Sequence[Order]) -> None:
    wait_until(lambda: _results(options, orders) == [1] * len(orders), "each job has one result, and no other file")


def _succeeded(server: RunningJobServer, order: Order) -> bool:
    try:
        record = server.get(order)
    except RefusedError:  # The machine is so busy that a lock is waited for too long.
        return False
    assert record["state"] != "failed", record
    return bool(record["state"] == "succeeded")


def _journal(options: JobServerOptions, word: str) -> list[str]:
    return [path.name for path in (options.folder / "journal").glob(f"*.{word}")]


def _count(options: JobServerOptions, word: str) -> int:
    return len(_journal(options, word))


def _ended(options: JobServerOptions) -> int:
    return sum(_count(options, word) for word in ("made", "killed", "failed"))


def _more_than(options: JobServerOptions, word: str, count: int) -> bool:
    return _count(options, word) > count


def _results(options: JobServerOptions, orders: Sequence[Order]) -> list[int]:
    """How many results there are of each job, in the store."""
    found = []
    for order in orders:
        attempts = (options.folder / "store" / output_path(order.id, 1, "result")).parents[1]
        found.append(len(list(attempts.glob("*/result"))))
    return found

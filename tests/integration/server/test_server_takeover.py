"""Several servers on one PostgreSQL and one store: whichever dies or is replaced, every job is done, once."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from clearcanvas.v1 import images_pb2, jobs_pb2

from tests.support.customer import Customer
from tests.support.fake_triton import FakeTriton, running_fake
from tests.support.postgres import RunningPostgres
from tests.support.processes import wait_until
from tests.support.server import RunningServer, picture, running_server

SUCCEEDED, RUNNING = jobs_pb2.JOB_STATE_SUCCEEDED, jobs_pb2.JOB_STATE_RUNNING
EDIT = images_pb2.EditRequest(image=picture())


class Fleet:
    """Servers that share their jobs."""

    def __init__(self, database: str, folder: Path, triton: str, stack: ExitStack) -> None:
        self._database, self._folder, self._triton, self._stack = database, folder, triton, stack
        self._number = 0

    def add(self) -> RunningServer:
        self._number += 1
        folder = self._folder / str(self._number)
        folder.mkdir()
        shared: dict[str, Any] = {
            "jobs": self._database,
            "store": (self._folder / "store").as_uri(),
            "job_workers": 2,
            "workers": 1,
        }
        server = self._stack.enter_context(running_server(self._triton, folder, model="fake", **shared))
        wait_until(server.serving, "the server serves")
        return server

    def results(self) -> list[str]:
        """The jobs that have files of results, once for each file."""
        return sorted(
            path.relative_to(self._folder / "store/jobs").parts[0] for path in self._folder.glob("store/**/out/*/*")
        )


@pytest.fixture
def fake() -> FakeTriton:
    return FakeTriton()


@pytest.fixture
def fleet(postgres: RunningPostgres, fake: FakeTriton, tmp_path: Path) -> Iterator[Fleet]:
    with running_fake(fake) as triton, ExitStack() as stack:
        yield Fleet(postgres.create_database(), tmp_path, triton, stack)


@pytest.mark.case("J1")
@pytest.mark.case("J3")
def test_one_of_two_servers_is_killed_in_the_middle_of_twenty_jobs(fleet: Fleet, fake: FakeTriton) -> None:
    first, second = fleet.add(), fleet.add()
    here = Customer(first)
    mine = Customer(second, here.owner)
    done = [who.submit(EDIT).id for who in (here, mine, here, mine)]
    before = {job: mine.watch(job)[-1] for job in done}
    fake.delay_s = 60.0
    jobs = [*done, *((here, mine)[number % 2].submit(EDIT).id for number in range(16))]
    wait_until(lambda: [mine.get(job).state for job in jobs].count(RUNNING) == 4, "all workers are at work")
    first.process.kill()
    fake.delay_s = 0.0
    fake.released.set()
    ended = [mine.watch(job)[-1] for job in jobs]
    assert {job.state for job in ended} == {SUCCEEDED}
    assert {job.attempt for job in ended} <= {1, 2}
    assert 2 in {job.attempt for job in ended}, "a job of the dead server was taken over"
    assert fleet.results() == sorted(jobs)
    for job in ended:
        assert before.get(job.id, job) == job, "what was done is not done again"
        assert mine.download(job.id).chunks


@pytest.mark.case("J14")
@pytest.mark.case("H15")
def test_a_server_that_stops_hands_its_jobs_to_the_next(fleet: Fleet, fake: FakeTriton) -> None:
    leaving = fleet.add()
    fake.delay_s = 60.0
    customer = Customer(leaving)
    asked = fake.inferences
    jobs = [customer.submit(EDIT).id for _ in range(4)]
    wait_until(lambda: fake.inferences >= asked + 2, "both workers ask the model")
    fake.delay_s = 0.0  # For whoever asks from now on.
    coming = fleet.add()
    leaving.process.terminate()
    leaving.process.wait(15)
    after = Customer(coming, customer.owner)
    ended = [after.watch(job)[-1] for job in jobs]
    assert {job.state for job in ended} == {SUCCEEDED}
    assert "Traceback" not in leaving.log.read_text()

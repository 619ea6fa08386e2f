"""A database that is away, and a disk that is full: what was accepted is finished. Real processes."""

import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.job_server import JobServerOptions, RefusedError, RunningJobServer, running_job_server
from tests.support.postgres import running_postgres
from tests.support.processes import wait_until

pytestmark = pytest.mark.case("J8")


@dataclass
class Site:
    """A server with one job at work and one in its queue."""

    options: JobServerOptions
    server: RunningJobServer

    def fill(self) -> None:
        """Have both jobs accepted, and wait until the first is at work."""
        self.orders = [self.server.submit({"gate": str(self.options.folder / "gate")}) for _ in range(2)]
        wait_until(lambda: len(self._told("begun")) == 1, "the first is at work")

    def finish(self) -> dict[str, int]:
        """Let the first go on, and wait until both have succeeded; the attempt of each that made it."""
        wait_until(self._all_succeeded, "what was accepted is finished", 90)
        return {order.id: self.server.get(order)["attempt"] for order in self.orders}

    def open_gate(self) -> None:
        """Let the jobs go on."""
        (self.options.folder / "gate").touch()
        wait_until(lambda: bool(self._told("made")), "the first has gone on")

    def refuses(self) -> bool:
        """Whether nothing is accepted, and nothing is told that is not known."""
        for call in (self.server.submit, lambda: self.server.get(self.orders[0])):
            with pytest.raises(RefusedError, match="STORE_UNAVAILABLE"):
                call()
        return True

    def _told(self, word: str) -> list[Path]:
        return list((self.options.folder / "journal").glob(f"*.{word}"))

    def _all_succeeded(self) -> bool:
        try:
            return all(self.server.get(order)["state"] == "succeeded" for order in self.orders)
        except RefusedError:
            return False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "input").write_text("the input")
    (tmp_path / "journal").mkdir()
    return tmp_path


@pytest.fixture
def site(folder: Path) -> Iterator[Site]:
    options = JobServerOptions(f"sqlite:///{folder}/jobs.sqlite", folder, slots=1)
    with running_job_server(options) as server:
        yield Site(options, server)


def test_a_database_that_restarts_costs_no_job_and_no_work(folder: Path) -> None:
    with running_postgres() as postgres:
        options = JobServerOptions(postgres.create_database(), folder, slots=1)
        with running_job_server(options) as server:
            site = Site(options, server)
            site.fill()
            postgres.stop()
            assert site.refuses()
            site.open_gate()
            postgres.start()
            assert list(site.finish().values()) == [1, 1]


def test_a_full_disk_costs_no_job(site: Site) -> None:
    site.fill()
    # No file can grow any more. (A real full disk needs a mount of its own, which tests may not make.)
    site.server.process.rlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    with pytest.raises(RefusedError, match="STORE_UNAVAILABLE"):
        site.server.submit()
    (site.options.folder / "gate").touch()
    with pytest.raises(RefusedError, match="STORE_UNAVAILABLE"):
        site.server.submit()
    site.server.process.rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert site.finish()

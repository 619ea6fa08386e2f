"""After all tests, in however many processes they ran, nothing of theirs is left in shared memory."""

import time
from collections.abc import Generator

import pytest

from tests.support.processes import shared_memory_of_the_dead

_LIMIT_S = 30  # The last program may just be dying, and whatever else runs on the machine clean up after itself.
_BEFORE = pytest.StashKey[set[str]]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Note what was left before. A process of xdist's sees what the others' programs are about to clean up: it does
    not look."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[_BEFORE] = shared_memory_of_the_dead()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """Fail the run where something is left. By then fixtures are torn down, and xdist's processes have ended."""
    yield
    before = session.config.stash.get(_BEFORE, None)
    if before is None:
        return
    deadline = time.monotonic() + _LIMIT_S
    while left := shared_memory_of_the_dead() - before:
        if time.monotonic() > deadline:
            pytest.exit(f"left in shared memory: {sorted(left)}", returncode=pytest.ExitCode.TESTS_FAILED)
        time.sleep(0.1)

"""What watches a program, for tests of several programs."""

from collections.abc import Iterator

import pytest

from tests.support.collector import RunningCollector, running_collector
from tests.support.processes import free_address


@pytest.fixture(scope="module")
def collector() -> Iterator[RunningCollector]:
    """Takes the traces of a module's program."""
    with running_collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def metrics() -> str:
    """The address of its metrics."""
    return free_address()

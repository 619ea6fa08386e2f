"""The world in which payments are tried without a chain."""

from collections.abc import Iterator

import pytest

from tests.support.payments.world import Tables, World


@pytest.fixture(scope="module")
def tables() -> Iterator[Tables]:
    tables = Tables()
    yield tables
    tables.remove()


@pytest.fixture
def world(tables: Tables) -> Iterator[World]:
    tables.clear()
    world = World(tables)
    yield world
    world.close()

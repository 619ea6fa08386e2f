"""What several tests of the server stand on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.routing.database import RoutingDatabase


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[RoutingDatabase]:
    """The database of the routing, in a file of the test's own."""
    database = RoutingDatabase(f"sqlite:///{tmp_path}/jobs.sqlite")
    await database.start()
    yield database
    await database.close()

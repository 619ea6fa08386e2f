"""One fake image service and one adapter for the folder; tests with settings of their own start their own."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.integration.adapter.fake_service import FakeImageService, RunningFake
from tests.integration.adapter.process import AdapterProcess, run_adapter
from tests.support.postgres import RunningPostgres


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'adapter.sqlite'}"
    postgres: RunningPostgres = request.getfixturevalue("postgres")
    return postgres.create_database()


@pytest_asyncio.fixture(scope="session")
async def running_fake() -> AsyncIterator[RunningFake]:
    fake = RunningFake()
    await fake.start()
    yield fake
    await fake.stop()


@pytest_asyncio.fixture
async def fake(running_fake: RunningFake) -> FakeImageService:
    running_fake.service.reset()
    return running_fake.service


@pytest_asyncio.fixture(scope="session")
async def adapter(running_fake: RunningFake) -> AsyncIterator[AdapterProcess]:
    async with run_adapter(running_fake.address) as process:
        yield process


@pytest_asyncio.fixture(scope="session")
async def http(adapter: AdapterProcess) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(adapter.url, timeout=aiohttp.ClientTimeout(60)) as session:
        yield session

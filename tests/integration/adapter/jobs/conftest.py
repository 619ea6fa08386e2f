"""One fake job service for the folder, and an adapter that is open to all; tests with keys start their own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from clearcanvas.v1 import jobs_pb2_grpc

from tests.integration.adapter.fake_jobs import FakeJobService
from tests.integration.adapter.fake_service import RunningFake
from tests.integration.adapter.shop import RunningShop, running_shop

_fake = FakeJobService()


@pytest_asyncio.fixture(scope="session")
async def job_server() -> AsyncIterator[RunningFake]:
    running = RunningFake(lambda server: jobs_pb2_grpc.add_JobServiceServicer_to_server(_fake, server))
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture
async def jobs(job_server: RunningFake) -> FakeJobService:
    _fake.reset()
    return _fake


@pytest_asyncio.fixture(scope="session")
async def open_door(job_server: RunningFake, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningShop]:
    async with running_shop(job_server.address, tmp_path_factory.mktemp("door"), sells=False) as shop:
        yield shop


@pytest_asyncio.fixture
async def door(open_door: RunningShop, jobs: FakeJobService) -> RunningShop:
    return open_door

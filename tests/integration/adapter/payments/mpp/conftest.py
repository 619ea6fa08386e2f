"""A rail on the local Tempo chain, and the official client that pays on it."""

from collections.abc import AsyncIterator

import pytest_asyncio

from adapter.payments.mpp import MppRail
from tests.integration.adapter.payments.mpp.market import Market, config_for
from tests.support.devnet import RunningDevnet
from tests.support.mppx import Mppx, running_mppx


@pytest_asyncio.fixture(scope="session")
async def mppx(devnet: RunningDevnet) -> AsyncIterator[Mppx]:
    async with running_mppx(devnet.tempo.rpc_url) as client:
        yield client


@pytest_asyncio.fixture(scope="session")
async def market(devnet: RunningDevnet, mppx: Mppx) -> AsyncIterator[Market]:
    rail = MppRail(config_for(devnet.tempo))
    await rail.start()
    yield Market(rail, devnet.tempo, mppx)
    await rail.close()

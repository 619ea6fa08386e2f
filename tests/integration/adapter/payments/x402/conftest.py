"""The x402 rail on the local Base, each test with a hot key and payers of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from adapter.payments.x402.config import X402Config
from adapter.payments.x402.networks import NETWORKS
from adapter.payments.x402.rail import X402Rail
from tests.support.devnet import DevChain, RunningDevnet

OpenRail = Callable[..., AbstractAsyncContextManager[X402Rail]]


@pytest.fixture
def chain(devnet: RunningDevnet) -> DevChain:
    return devnet.base


@pytest.fixture
def open_rail(chain: DevChain) -> OpenRail:
    """Opens a rail with other settings than `rail`'s, for instance another RPC."""

    @asynccontextmanager
    async def opened(**settings: Any) -> AsyncIterator[X402Rail]:
        defaults: dict[str, Any] = {
            "network": NETWORKS["base-sepolia"],
            "pay_to": chain.recipient,
            "rpc_url": chain.rpc_url,
        }
        if "facilitator_url" not in settings:
            settings = {"key": chain.hot_key().key} | settings
        rail = X402Rail(X402Config(**(defaults | settings)))
        await rail.start()
        try:
            yield rail
        finally:
            await rail.close()

    return opened


@pytest_asyncio.fixture
async def rail(open_rail: OpenRail) -> AsyncIterator[X402Rail]:
    async with open_rail() as opened:
        yield opened

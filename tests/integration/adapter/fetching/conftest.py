"""A small Internet for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.integration.adapter.fetching.web import Web, small_web


@pytest_asyncio.fixture
async def web() -> AsyncIterator[Web]:
    async with small_web() as one:
        yield one

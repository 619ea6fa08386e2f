"""Calls over HTTP for tests: one photo, or many clients that do not stop."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import numpy as np
from multidict import CIMultiDictProxy
from PIL import Image

from tests.support.stack import RunningStack


@dataclass(frozen=True)
class Answer:
    """One whole answer."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


def make_photo(side: int = 256) -> bytes:
    """A JPEG of side × side pixels: a bright disc, which is subject to the toy model, on dark noise."""
    rows, columns = np.mgrid[:side, :side]
    disc = (rows - side / 2) ** 2 + (columns - side / 2) ** 2 < (side / 3) ** 2
    noise = np.random.default_rng(1).integers(0, 40, (side, side, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.where(disc[..., None], 250 - noise, noise).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


async def post_photo(
    session: aiohttp.ClientSession, stack: RunningStack, photo: bytes, path: str = "/image/matte/v1", **fields: str
) -> Answer:
    """Posts one photo and reads the whole answer."""
    form = aiohttp.FormData(fields)
    form.add_field("image", photo, filename="photo")
    async with session.post(stack.url(path), data=form) as response:
        return Answer(response.status, response.headers, await response.read())


@asynccontextmanager
async def steady_load(stack: RunningStack, photo: bytes, clients: int) -> AsyncIterator[list[Answer]]:
    """Keeps `clients` requests in flight while the block lasts; yields the answers so far, and they go on coming.

    A request that is not answered at all fails the block.
    """
    answers: list[Answer] = []
    stopping = False

    async def client(session: aiohttp.ClientSession) -> None:
        while not stopping:
            answers.append(await post_photo(session, stack, photo))
            if answers[-1].status != 200:
                await asyncio.sleep(0.05)

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client(session))
        yield answers
        stopping = True

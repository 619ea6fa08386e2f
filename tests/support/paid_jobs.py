"""What a payer does with a job that was bought."""

import asyncio
import json

import aiohttp

from tests.support.clients import Paid
from tests.support.http import Answer
from tests.support.paid_stack import RunningAdapter


async def fetch(adapter: RunningAdapter, path: str, *, waiting: tuple[int, ...] = (202,)) -> Answer:
    """Ask for a result, without a payment, until the answer is none of `waiting`."""
    async with asyncio.timeout(90), aiohttp.ClientSession() as session:
        while True:
            async with session.get(adapter.url(path)) as response:
                answer = Answer(response.status, response.headers, await response.read())
            if answer.status not in waiting:
                return answer
            await asyncio.sleep(0.2)


def uuid_of(paid: Paid) -> str:
    """The id of the job that a submission has begun."""
    assert paid.status == 202, paid.error
    words = json.loads(paid.picture)
    assert words["status"] == "processing"
    return str(words["uuid"])

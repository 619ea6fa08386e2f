"""More load than the stack carries, and load for longer than a leak would stay small."""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from tests.support.http import Answer, make_photo, post_photo
from tests.support.stack import RunningStack, running_stack

pytestmark = pytest.mark.alone

CLIENTS = 24


@pytest.mark.case("H10")
async def test_three_times_the_load_is_shed_clearly_and_the_rest_is_served(
    toy_repository: Path, triton_env: Path, tmp_path: Path
) -> None:
    photo = make_photo(1000)
    # Room for a third of the clients, at about 40 MB for each picture.
    environment = {"CLEARCANVAS_TRITON_ENV": str(triton_env), "CLEARCANVAS_MEMORY_BUDGET_MIB": "320"}
    answers: list[Answer] = []

    async def insist(session: aiohttp.ClientSession, stack: RunningStack) -> None:
        while True:
            answer = await post_photo(session, stack, photo)
            answers.append(answer)
            if answer.status == 200:
                return
            await asyncio.sleep(int(answer.headers["Retry-After"]))

    with running_stack(toy_repository, "toy", tmp_path, environment) as stack:
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(insist(session, stack) for _ in range(CLIENTS)))
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) == {200, 503}
    assert statuses[200] == CLIENTS
    for refusal in answers:
        if refusal.status == 503:
            assert refusal.headers["Retry-After"] == "1"
            assert json.loads(refusal.body)["message"] == "The service is at its capacity."


async def test_three_hundred_requests_leave_memory_flat(toy_repository: Path, triton_env: Path, tmp_path: Path) -> None:
    photo = make_photo(1000)
    environment = {"CLEARCANVAS_TRITON_ENV": str(triton_env), "CLEARCANVAS_WORKERS": "1"}
    with running_stack(toy_repository, "toy", tmp_path, environment) as stack:
        async with aiohttp.ClientSession() as session:

            async def run(requests: int) -> None:
                for _ in range(requests):
                    assert (await post_photo(session, stack, photo)).status == 200

            await run(100)
            warm = memory(stack)
            await run(300)
            after = memory(stack)
    assert sum(after.values()) < 1.03 * sum(warm.values()), (warm, after)


def memory(stack: RunningStack) -> dict[str, int]:
    """Bytes that each program of the idle stack has written for itself alone: the least of several readings.

    The server gives freed memory back every few seconds, and what has just been freed is no growth. Nor are the pages
    of a library that count as a program's own while no other program on the machine runs the same.
    """
    least: dict[str, int] = {}
    for _ in range(8):
        for process in stack.programs():
            name = " ".join(process.cmdline())[-40:] + f" {process.pid}"
            size = sum(part.private_dirty for part in process.memory_maps())
            least[name] = min(size, least.get(name, size))
        time.sleep(1)
    return least

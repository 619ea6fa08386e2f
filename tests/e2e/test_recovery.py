"""Parts of the stack are killed under load; it recovers without a restart by hand."""

import asyncio
import json
from collections.abc import Callable

import aiohttp
import psutil
import pytest

from tests.support.http import Answer, make_photo, post_photo, steady_load
from tests.support.processes import eventually
from tests.support.stack import RunningStack

pytestmark = pytest.mark.alone

CLIENTS = 4
RECOVERY_S = 10


def assert_clear(answer: Answer) -> None:
    """A refusal says what it is, and when to come back."""
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert json.loads(answer.body)["message"]


def gone(process: psutil.Process) -> bool:
    """Whether it is dead; Triton leaves a dead stub unburied for as long as anything still waits for its answer."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def kill_under_load(stack: RunningStack, find: Callable[[RunningStack], psutil.Process]) -> list[Answer]:
    """Kills the process that `find` finds, waits until the stack serves again, and returns the refusals in between."""
    async with steady_load(stack, make_photo(), CLIENTS) as answers:
        await eventually(lambda: len(answers) >= 2 * CLIENTS, "the load runs")
        assert {answer.status for answer in answers} == {200}
        killed = find(stack)
        killed.kill()
        since = len(answers)

        def served_again() -> bool:
            last = answers[since:][-3 * CLIENTS :]
            return gone(killed) and len(last) == 3 * CLIENTS and all(a.status == 200 for a in last)

        await eventually(served_again, f"service is back after the death of {killed}", RECOVERY_S)
    return [answer for answer in answers if answer.status != 200]


@pytest.mark.case("H13")
@pytest.mark.parametrize(
    "find",
    [lambda stack: stack.find_stub("toy"), lambda stack: stack.find("tritonserver")],
    ids=["stub", "tritonserver"],
)
async def test_a_killed_inference_process_costs_clear_503s_at_most(
    rough_stack: RunningStack, find: Callable[[RunningStack], psutil.Process]
) -> None:
    refusals = await kill_under_load(rough_stack, find)
    assert refusals  # What was in its hands is lost, and said to be.
    for refusal in refusals:
        assert_clear(refusal)
    async with asyncio.timeout(RECOVERY_S):  # It says so a little later: when no worker waits to look again any more.
        while not await says_ready(rough_stack):  # noqa: ASYNC110 - another program says it.
            await asyncio.sleep(0.05)


async def says_ready(stack: RunningStack) -> bool:
    """Whether the stack says that it can serve."""
    async with aiohttp.ClientSession() as session, session.get(stack.url("/ready")) as response:
        return response.status == 200


@pytest.mark.case("M10")
async def test_a_killed_worker_costs_a_clear_503_for_the_picture_it_held_at_most(rough_stack: RunningStack) -> None:
    refusals = await kill_under_load(rough_stack, lambda stack: stack.workers()[0])
    assert len(refusals) <= 1
    for refusal in refusals:
        assert_clear(refusal)


@pytest.mark.case("H11")
async def test_a_client_that_goes_away_frees_its_worker(rough_stack: RunningStack) -> None:
    photo = make_photo()
    async with aiohttp.ClientSession() as session, aiohttp.ClientSession() as other:
        # Both workers are held by pictures that would take minutes.
        held = [asyncio.create_task(post_photo(session, rough_stack, photo, model="slow")) for _ in range(2)]
        await eventually(lambda: rough_stack.requests_in_flight() == 2, "the pictures are in work")
        for task in held:
            task.cancel()
        await eventually(lambda: rough_stack.requests_in_flight() == 0, "the work is dropped", RECOVERY_S)
        assert (await post_photo(other, rough_stack, photo)).status == 200

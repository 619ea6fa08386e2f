"""Three servers, two Tritons, two adapters, a PostgreSQL and a Redis: any of them may go while callers never stop."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import aiohttp
import pytest

from tests.support.http import make_photo
from tests.support.processes import eventually
from tests.support.replicas import Replicas
from tests.support.toy_model import serves_toy

pytestmark = pytest.mark.alone

CALLERS = 4
LIMIT_S = 120
PHOTO = make_photo()


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory, triton_env: Path) -> Iterator[Replicas]:
    with ExitStack() as life:
        yield Replicas(tmp_path_factory.mktemp("replicas"), triton_env, life)


@dataclass
class Asked:
    """One picture that a caller wants, and how often that was refused, or broke off. `number`: as they began."""

    number: int
    failures: list[str] = field(default_factory=list)


@dataclass
class Load:
    """Callers that ask one after the other, each until it has its picture. `done`: in the order of their end."""

    begun: int = 0
    done: list[Asked] = field(default_factory=list)

    @property
    def failed(self) -> list[Asked]:
        return [asked for asked in self.done if asked.failures]

    async def more(self, count: int = 3 * CALLERS) -> None:
        """Wait for so many that begin from now on."""
        now = self.begun
        await eventually(
            lambda: sum(asked.number >= now for asked in self.done) >= count, "pictures are cut out", LIMIT_S
        )


@asynccontextmanager
async def load_on(replicas: Replicas) -> AsyncIterator[Load]:
    """Callers of both adapters. Where nobody listens, they go to the other one, as whoever balances them does."""
    load, stopping = Load(), False

    async def caller(session: aiohttp.ClientSession, first: int) -> None:
        while not stopping:
            asked = Asked(load.begun)
            load.begun += 1
            for door in islice(cycle(replicas.doors), first, None):
                try:
                    answer = await cut_out(session, door, replicas.key)
                except aiohttp.ClientConnectorError:
                    continue
                except aiohttp.ClientError as error:
                    answer = repr(error)
                if not answer:
                    break
                asked.failures.append(answer)
                await asyncio.sleep(0.1)
            load.done.append(asked)

    # A connection for each: one that is kept may be one to the dead.
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as callers:
        for number in range(CALLERS):
            callers.create_task(caller(session, number))
        try:
            await load.more()
            yield load
        finally:
            stopping = True


async def cut_out(session: aiohttp.ClientSession, door: str, key: str) -> str:
    """Ask once. Returns the refusal, empty where there is none; it says that, and when, one may come again."""
    form = aiohttp.FormData()
    form.add_field("image", PHOTO, filename="photo")
    async with session.post(f"http://{door}/image/matte/v1", data=form, headers={"X-API-Key": key}) as response:
        body = await response.read()
        if response.status == 200:
            return ""
        assert response.status == 503, body
        assert int(response.headers["Retry-After"]) >= 1
        return str(json.loads(body)["message"])


async def kill(load: Load, victim: Callable[[], None]) -> list[Asked]:
    """Kill something, and wait until the others do its work. Returns what failed.

    Only what was in flight may fail, and only once.
    """
    assert load.failed == []
    victim()
    then = load.begun  # Nobody else has run meanwhile: callers are tasks of this thread.
    await load.more()
    assert all(asked.number < then and len(asked.failures) == 1 for asked in load.failed), load.failed
    return load.failed


async def test_a_killed_server_costs_what_it_had_in_its_hands_at_most(replicas: Replicas) -> None:
    server = replicas.servers[0]
    async with load_on(replicas) as load:
        failed = await kill(load, server.now.process.kill)
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        await eventually(lambda: "Edit ok" in server.now.log.read_text(), "the new server has its share", LIMIT_S)
        await load.more()
    assert load.failed == failed


async def test_a_killed_triton_costs_what_it_had_in_its_hands_at_most(replicas: Replicas) -> None:
    async with load_on(replicas) as load:
        failed = await kill(load, replicas.triton(0).kill)
        await eventually(lambda: serves_toy(replicas.tritons[0]), "Triton is back", LIMIT_S)
        await load.more()
    assert load.failed == failed


async def test_a_killed_adapter_costs_what_it_had_in_its_hands_at_most(replicas: Replicas) -> None:
    adapter = replicas.adapters[0]
    async with load_on(replicas) as load:
        failed = await kill(load, adapter.now.kill)
        await asyncio.to_thread(adapter.stop)
        await asyncio.to_thread(adapter.start)
        await load.more()
    assert load.failed == failed


async def test_without_redis_each_adapter_counts_alone(replicas: Replicas) -> None:
    async with load_on(replicas) as load:
        await asyncio.to_thread(replicas.redis.stop)
        await load.more()
        await asyncio.to_thread(replicas.redis.start)
        await load.more()
    assert load.failed == []


async def test_without_postgresql_calls_are_refused_clearly_and_no_accepted_job_is_lost(replicas: Replicas) -> None:
    headers = {"X-API-Key": replicas.key}
    async with aiohttp.ClientSession(f"http://{replicas.doors[0]}", headers=headers) as session:

        async def submit() -> tuple[int, dict[str, str]]:
            form = aiohttp.FormData({"operation": "color", "bgcolor": "10,200,30"})
            form.add_field("image", PHOTO, filename="photo")
            async with session.post("/image/hd/submit/v1", data=form) as response:
                return response.status, await response.json()

        async def finished(job: str) -> None:
            async with asyncio.timeout(LIMIT_S):
                while True:
                    async with session.get(f"/image/hd/result/{job}") as response:
                        await response.read()
                        if response.status == 200:
                            return
                        assert response.status in {202, 503}
                    await asyncio.sleep(0.1)

        async with load_on(replicas) as load:
            status, words = await submit()
            assert status == 202
            await asyncio.to_thread(replicas.postgres.stop)
            assert (await submit())[0] == 503
            await asyncio.to_thread(replicas.postgres.start)
            await load.more()
            await finished(words["uuid"])
            async with asyncio.timeout(LIMIT_S):
                while (await submit())[0] == 503:  # noqa: ASYNC110 - pools hold connections that are dead.
                    await asyncio.sleep(0.1)

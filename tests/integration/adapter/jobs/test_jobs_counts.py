"""What jobs took of a key's month, when nobody asks after them and when many do, on each database."""

import asyncio

import grpc
from clearcanvas.v1 import jobs_pb2

from adapter.jobs.quota import JobQuota
from adapter.jobs.service import JobService
from adapter.keys.jobs import JobCounts
from adapter.keys.key import NewKey
from adapter.keys.store import KeyStore
from adapter.service import open_channel
from tests.integration.adapter.fake_jobs import FakeJobService, Refusal
from tests.integration.adapter.fake_service import RunningFake
from tests.integration.adapter.jobs.calls import PNG

GONE = Refusal(grpc.StatusCode.UNAVAILABLE, "gone")


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


async def test_the_sweep_finds_out_what_nobody_asks_after(
    job_server: RunningFake, jobs: FakeJobService, url: str
) -> None:
    clock = Clock()
    store = KeyStore(url, clock=clock)
    await store.start()
    key = (await store.add(NewKey("a"))).key
    counts = JobCounts(store)
    names = ["failed", "cancelled", "succeeded", "at work", "never accepted"]
    known = {name: jobs.put(f"key:{key.id}") for name in names}
    for job in known.values():
        assert await counts.count(key, job.job.id) is True
        assert await counts.count(key, job.job.id) is False
    assert await store.used(key, store.month()) == 5
    await known["failed"].fail()
    await known["cancelled"].change(state=jobs_pb2.JOB_STATE_CANCELLED)
    await known["succeeded"].succeed(PNG)
    del jobs.jobs[known["never accepted"].job.id]
    async with open_channel(job_server.address) as channel:
        quota = JobQuota(counts, JobService(channel, 60))
        clock.now += 60
        jobs.trouble = GONE
        await quota.sweep()
        assert await store.used(key, store.month()) == 5
        jobs.trouble = None
        await quota.sweep()
        assert await store.used(key, store.month()) == 3  # That it is not there may mean that it is not there yet.
        clock.now += 3600
        for _ in range(2):
            await quota.sweep()
        assert await store.used(key, store.month()) == 2
        assert [job.id for job in await counts.list_open(clock.now, 10)] == [known["at work"].job.id]
        clock.now += 31 * 86_400
        await quota.sweep()
        assert await counts.count(key, known["succeeded"].job.id) is True  # Forgotten.
    await store.close()


async def test_many_who_see_the_end_give_back_once(url: str) -> None:
    stores = [KeyStore(url) for _ in range(2)]
    for store in stores:
        await store.start()
    key = (await stores[0].add(NewKey("a", monthly=3))).key
    counts = [JobCounts(store) for store in stores]
    first = await asyncio.gather(*(counts[number % 2].count(key, "one") for number in range(8)))
    assert sorted(map(bool, first)) == [False] * 7 + [True]
    assert await counts[0].count(key, "two") is True
    await asyncio.gather(*(counts[number % 2].give_back("one") for number in range(8)))
    assert await stores[0].used(key, stores[0].month()) == 1
    for store in stores:
        await store.close()

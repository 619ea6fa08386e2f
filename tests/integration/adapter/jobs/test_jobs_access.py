"""Whose jobs are whose, which key is for what, what a retry is, and what jobs take of a key's month."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from clearcanvas.v1 import jobs_pb2
from clearcanvas.v1.jobs_pb2 import VideoOrder

from adapter.keys import keyring as keyrings
from adapter.keys.key import NewKey
from adapter.keys.store import Issued
from tests.integration.adapter.fake_jobs import FakeJobService, Refusal
from tests.integration.adapter.fake_service import RunningFake
from tests.integration.adapter.jobs.calls import HD, HD_RESULT, MP4, PNG, VIDEO, VIDEO_RESULT, Reply, call, submit
from tests.integration.adapter.shop import RunningShop, running_shop

PUBLIC = {"http": "192.0.2.1:80"}
USED_UP = {"message": "This API key has had all the results of its month."}
NEEDED = {"message": "An API key is needed, in X-API-Key or as Authorization: Bearer."}
REFUSED = Refusal(grpc.StatusCode.INVALID_ARGUMENT, "It is broken.", "INVALID_IMAGE")
GONE = Refusal(grpc.StatusCode.UNAVAILABLE, "gone")
RESULTS = {HD: HD_RESULT, VIDEO: VIDEO_RESULT}


@pytest_asyncio.fixture(scope="session")
async def shop(job_server: RunningFake, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningShop]:
    """An adapter for those with keys alone."""
    async with running_shop(
        job_server.address, tmp_path_factory.mktemp("keys"), sells=False, settings=PUBLIC
    ) as running:
        yield running


@pytest.fixture
def keyed(shop: RunningShop, jobs: FakeJobService, monkeypatch: pytest.MonkeyPatch) -> RunningShop:
    monkeypatch.setattr(keyrings, "FRESH_S", 0.0)
    return shop


def bearing(issued: Issued, name: str = "") -> dict[str, str]:
    return {"X-API-Key": issued.secret} | ({"Idempotency-Key": name} if name else {})


async def used(shop: RunningShop, issued: Issued) -> int:
    return await shop.keys.used(issued.key, shop.keys.month())


async def send(shop: RunningShop, issued: Issued, name: str = "", path: str = HD, **options: Any) -> Reply:
    return await submit(shop, path, headers=bearing(issued, name), **options)


@pytest.mark.parametrize("path", [HD, VIDEO])
async def test_without_a_key_nothing_is_taken_nor_told(keyed: RunningShop, jobs: FakeJobService, path: str) -> None:
    job = jobs.put()
    for reply in (
        await submit(keyed, path),
        await call(keyed, "GET", RESULTS[path] + job.job.id),
        await call(keyed, "GET", f"/jobs/{job.job.id}/events"),
        await call(keyed, "DELETE", f"/jobs/{job.job.id}"),
    ):
        assert (reply.status, reply.words) == (401, NEEDED)
        assert reply.headers["WWW-Authenticate"] == 'Bearer realm="clearcanvas"'
    assert list(jobs.jobs) == [job.job.id]


@pytest.mark.parametrize(
    ("path", "fields", "needed"),
    [
        (HD, {}, "matte"),
        (HD, {"operation": "blur"}, "blur"),
        (HD, {"operation": "generate", "prompt": "x"}, "generate"),
        (VIDEO, {}, "video"),
        (VIDEO, {"bg_color": "1,2,3"}, "video"),
    ],
)
async def test_a_key_is_for_its_operations(
    keyed: RunningShop, jobs: FakeJobService, path: str, fields: dict[str, str], needed: str
) -> None:
    good, bad = [await keyed.keys.add(NewKey("a", (name,))) for name in (needed, "gradient")]
    reply = await send(keyed, bad, path=path, fields=fields)
    assert (reply.status, reply.words) == (403, {"message": f"This API key is not for the operation {needed}."})
    assert jobs.jobs == {}
    assert (await send(keyed, good, path=path, fields=fields)).status == 202
    assert jobs.only.owner == f"key:{good.key.id}"


@pytest.mark.case("J11")
@pytest.mark.parametrize("path", [HD, VIDEO])
async def test_a_job_is_its_owner_s_alone(keyed: RunningShop, jobs: FakeJobService, path: str) -> None:
    mine, theirs = [await keyed.keys.add(NewKey(name)) for name in ("mine", "theirs")]
    uuid = (await send(keyed, mine, path=path)).words["uuid"]
    for target, method in ((RESULTS[path] + uuid, "GET"), (f"/jobs/{uuid}/events", "GET"), (f"/jobs/{uuid}", "DELETE")):
        forged = target.replace(uuid, "00000000-0000-4000-8000-000000000000")
        other = await call(keyed, method, target, headers=bearing(theirs))
        nobodys = await call(keyed, method, forged, headers=bearing(theirs))
        assert (other.status, other.words) == (nobodys.status, nobodys.words)
        assert other.status == 404
        assert {*other.headers} == {*nobodys.headers}
    assert (await call(keyed, "GET", RESULTS[path] + uuid, headers=bearing(mine))).status == 202


async def test_asking_again_and_again_uses_up_nothing(keyed: RunningShop, jobs: FakeJobService) -> None:
    issued = await keyed.keys.add(NewKey("a", per_minute=1))
    uuid = (await send(keyed, issued)).words["uuid"]
    for _ in range(3):
        assert (await call(keyed, "GET", HD_RESULT + uuid, headers=bearing(issued))).status == 202
    assert (await send(keyed, issued)).status == 429


async def test_a_name_of_the_caller_s_makes_a_retry_the_same_job(keyed: RunningShop, jobs: FakeJobService) -> None:
    one, other = [await keyed.keys.add(NewKey(name)) for name in ("one", "other")]
    first, again, theirs = [await send(keyed, issued, "order 7") for issued in (one, one, other)]
    assert first.status == again.status == theirs.status == 202
    assert first.words == again.words
    assert first.words["uuid"] != theirs.words["uuid"]
    assert (await used(keyed, one), await used(keyed, other)) == (1, 1)
    changed = await send(keyed, one, "order 7", fields={"format": "webp"})
    message = {"message": "Another request was submitted with that Idempotency-Key."}
    assert (changed.status, changed.words) == (409, message)
    assert await used(keyed, one) == 1
    unnamed = await send(keyed, one)
    assert unnamed.words["uuid"] != first.words["uuid"]


async def test_a_retry_of_a_video_is_the_same_job(keyed: RunningShop, jobs: FakeJobService) -> None:
    issued = await keyed.keys.add(NewKey("a", monthly=1))
    first, again = [
        await send(keyed, issued, "v", VIDEO) for _ in range(2)
    ]  # The retry passes a month that is used up.
    assert first.words == again.words
    assert isinstance(jobs.only.request, VideoOrder)
    assert jobs.only.upload == MP4


@pytest.mark.parametrize("name", [" ", "a" * 256, "é", "a\tb"])
async def test_what_is_no_name_is_refused(keyed: RunningShop, jobs: FakeJobService, name: str) -> None:
    issued = await keyed.keys.add(NewKey("a"))
    reply = await send(keyed, issued, name)
    assert reply.status == 400
    assert jobs.jobs == {}


@pytest.mark.parametrize("path", [HD, VIDEO])
async def test_a_job_counts_when_it_is_accepted(keyed: RunningShop, jobs: FakeJobService, path: str) -> None:
    issued = await keyed.keys.add(NewKey("a", monthly=1))
    assert (await send(keyed, issued, path=path)).status == 202
    assert await used(keyed, issued) == 1
    reply = await send(keyed, issued, path=path)
    assert (reply.status, reply.words) == (403, USED_UP)
    assert len(jobs.jobs) == 1


async def test_of_many_at_once_the_month_has_room_for_two(keyed: RunningShop, jobs: FakeJobService) -> None:
    issued = await keyed.keys.add(NewKey("a", monthly=2))
    replies = await asyncio.gather(*(send(keyed, issued) for _ in range(8)))
    assert sorted(reply.status for reply in replies) == [202] * 2 + [403] * 6
    assert len(jobs.jobs) == await used(keyed, issued) == 2


@pytest.mark.parametrize(
    ("refusal", "status", "taken"),
    [
        (REFUSED, 400, 0),
        (Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", "OVERLOADED"), 503, 0),
        (GONE, 503, 1),  # Nobody knows whether it was accepted: the sweep finds out.
    ],
)
async def test_a_job_that_was_not_accepted_does_not_count(
    keyed: RunningShop, jobs: FakeJobService, refusal: Refusal, status: int, taken: int
) -> None:
    issued = await keyed.keys.add(NewKey("a"))
    jobs.refusal = refusal
    assert (await send(keyed, issued)).status == status
    assert await used(keyed, issued) == taken


@pytest.mark.case("J4")
@pytest.mark.parametrize("ending", ["failed", "cancelled", "deleted at work", "deleted when failed"])
async def test_a_job_without_a_result_is_given_back_once(keyed: RunningShop, jobs: FakeJobService, ending: str) -> None:
    issued = await keyed.keys.add(NewKey("a"))
    uuid = (await send(keyed, issued, "n")).words["uuid"]
    await send(keyed, issued)  # Another, which stays counted.
    job = jobs.jobs[uuid]
    if ending == "cancelled":
        await job.change(state=jobs_pb2.JOB_STATE_CANCELLED)
    elif ending != "deleted at work":
        await job.fail()
    if ending.startswith("deleted"):
        assert (await call(keyed, "DELETE", f"/jobs/{uuid}", headers=bearing(issued))).status == 204
    else:
        for _ in range(2):
            assert (await call(keyed, "GET", HD_RESULT + uuid, headers=bearing(issued))).status == 500
        assert (await send(keyed, issued, "n")).words["uuid"] == uuid  # A retry of what has failed is that failure.
    assert await used(keyed, issued) == 1


async def test_a_listener_sees_the_failure_that_is_given_back(keyed: RunningShop, jobs: FakeJobService) -> None:
    issued = await keyed.keys.add(NewKey("a"))
    uuid = (await send(keyed, issued)).words["uuid"]
    await jobs.only.fail()
    reply = await call(keyed, "GET", f"/jobs/{uuid}/events", headers=bearing(issued))
    assert b"event: failed" in reply.body
    assert await used(keyed, issued) == 0


async def test_a_result_stays_counted_also_when_it_is_deleted(keyed: RunningShop, jobs: FakeJobService) -> None:
    issued = await keyed.keys.add(NewKey("a"))
    uuid = (await send(keyed, issued)).words["uuid"]
    await jobs.only.succeed(PNG)
    assert (await call(keyed, "GET", HD_RESULT + uuid, headers=bearing(issued))).body == PNG
    assert (await call(keyed, "DELETE", f"/jobs/{uuid}", headers=bearing(issued))).status == 204
    assert await used(keyed, issued) == 1


async def test_a_name_whose_job_is_forgotten_counts_anew(keyed: RunningShop, jobs: FakeJobService) -> None:
    issued = await keyed.keys.add(NewKey("a", monthly=2))
    for count in (1, 2):
        assert (await send(keyed, issued, "n")).status == 202
        assert await used(keyed, issued) == count
        await jobs.only.succeed(PNG)
        await call(keyed, "GET", HD_RESULT + jobs.only.job.id, headers=bearing(issued))
        jobs.jobs.clear()  # Its time is over.
    assert (await send(keyed, issued, "n")).status == 403
    assert jobs.jobs == {}

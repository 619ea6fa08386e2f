"""A job's news as server-sent events, and its end by its owner's will."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import grpc
import pytest
from clearcanvas.v1 import jobs_pb2

from adapter.routes import jobs as routes
from tests.integration.adapter.fake_jobs import FakeJobService, Refusal
from tests.integration.adapter.jobs.calls import HD_RESULT, PNG, VIDEO_RESULT, call
from tests.integration.adapter.shop import RunningShop


class Events:
    """A reader of an event stream, as the HTML Standard has it."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def block(self) -> str:
        """The next event or comment, as it came; empty at the end."""
        async with asyncio.timeout(10):
            return (await self.response.content.readuntil(b"\n\n")).decode().strip()

    async def event(self) -> tuple[str, dict[str, Any]]:
        """The name and the data of the next event."""
        lines = (await self.block()).split("\n")
        named = dict(line.split(": ", 1) for line in lines if not line.startswith((":", "retry", "id")))
        return named["event"], json.loads(named["data"])


@asynccontextmanager
async def listening(door: RunningShop, job_id: str, **headers: str) -> AsyncIterator[Events]:
    async with door.http.get(f"/jobs/{job_id}/events", headers=headers) as response:
        assert response.status == 200
        events = Events(response)
        assert await events.block() == "retry: 1000"
        yield events


async def test_the_news_of_a_video_until_its_end(door: RunningShop, jobs: FakeJobService) -> None:
    job = jobs.put(kind=jobs_pb2.JOB_KIND_VIDEO)
    same = {"uuid": job.job.id, "kind": "video", "status": "processing"}
    async with listening(door, job.job.id) as events:
        assert events.response.headers["Content-Type"].startswith("text/event-stream")
        assert events.response.headers["Cache-Control"] == "no-cache"
        assert await events.event() == ("processing", same | {"state": "queued", "attempt": 0})
        await jobs.watching.wait()
        await job.advance(45, 120)
        progress = {"current_frame": 45, "total_frames": 120, "progress_percentage": 37.5}
        assert await events.event() == ("processing", same | {"state": "running", "attempt": 1} | progress)
        await job.succeed(PNG, "video/mp4")
        name, words = await events.event()
        assert (name, words["state"], words["result"]) == ("success", "succeeded", VIDEO_RESULT + job.job.id)
        assert await events.response.read() == b""  # It ends with the job.
    await jobs.unwatched.wait()


async def test_the_news_of_a_picture_are_in_hundredths(door: RunningShop, jobs: FakeJobService) -> None:
    job = jobs.put()
    await job.advance(50, 100)
    async with listening(door, job.job.id) as events:
        _, words = await events.event()
        assert (words["kind"], words["progress_percentage"]) == ("image", 50.0)
        assert "current_frame" not in words


@pytest.mark.parametrize(
    ("state", "status", "more"),
    [
        ("SUCCEEDED", "success", {"result"}),
        ("FAILED", "failed", {"error"}),
        ("CANCELLED", "cancelled", set()),
    ],
)
async def test_a_job_that_has_ended_is_told_once(
    door: RunningShop, jobs: FakeJobService, state: str, status: str, more: set[str]
) -> None:
    job = jobs.put()
    if state == "SUCCEEDED":
        await job.succeed(PNG)
    elif state == "FAILED":
        await job.fail("NO_SUBJECT", "There is no subject.\n\nevent: success")
    else:
        await job.change(state=jobs_pb2.JOB_STATE_CANCELLED)
    async with listening(door, job.job.id) as events:
        block = await events.block()
        assert block.startswith(f"id: end\nevent: {status}\ndata: ")
        words = json.loads(block.partition("data: ")[2])  # One line, whatever stands in it.
        assert set(words) == {"uuid", "kind", "status", "state", "attempt"} | more
        if state == "FAILED":
            assert words["error"]["code"] == "no_subject"
        if state == "SUCCEEDED":
            assert words["result"] == HD_RESULT + job.job.id
        assert await events.response.read() == b""


async def test_a_browser_that_comes_back_after_the_end_is_sent_away(door: RunningShop, jobs: FakeJobService) -> None:
    job = jobs.put()
    await job.succeed(PNG)
    reply = await call(door, "GET", f"/jobs/{job.job.id}/events", headers={"Last-Event-ID": "end"})
    assert (reply.status, reply.body) == (204, b"")


@pytest.mark.parametrize("last", ["end", "0", "99999999999999999999", "' OR 1=1 --", "\u00e9"])
async def test_any_last_event_id_is_harmless(door: RunningShop, jobs: FakeJobService, last: str) -> None:
    job = jobs.put()
    async with listening(door, job.job.id, **{"Last-Event-ID": last}) as events:
        assert (await events.event())[0] == "processing"


async def test_a_silent_job_has_a_heartbeat(
    door: RunningShop, jobs: FakeJobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_SILENCE_S", 0.001)
    job = jobs.put()
    async with listening(door, job.job.id) as events:
        await events.event()
        assert [await events.block() for _ in range(3)] == [": alive"] * 3
        monkeypatch.undo()
        await job.fail()
        while (block := await events.block()) == ": alive":
            pass
        assert "event: failed" in block


async def test_a_listener_that_goes_away_is_forgotten(door: RunningShop, jobs: FakeJobService) -> None:
    job = jobs.put()
    async with listening(door, job.job.id) as events:
        await events.event()
        await jobs.watching.wait()
    async with asyncio.timeout(10):
        await jobs.unwatched.wait()


async def test_news_that_break_off_end_the_stream_and_the_client_comes_back(
    door: RunningShop, jobs: FakeJobService
) -> None:
    job = jobs.put()
    jobs.breaks = asyncio.Event()
    async with listening(door, job.job.id) as events:
        await events.event()
        jobs.breaks.set()
        await job.advance(1, 2)
        assert await events.response.read() == b""
    jobs.breaks = None
    async with listening(door, job.job.id) as events:
        assert (await events.event())[1]["progress_percentage"] == 50.0


async def test_news_that_cannot_be_had_are_refused_with_a_status(door: RunningShop, jobs: FakeJobService) -> None:
    job = jobs.put()
    jobs.trouble = Refusal(grpc.StatusCode.UNAVAILABLE, "gone")
    reply = await call(door, "GET", f"/jobs/{job.job.id}/events")
    assert (reply.status, reply.headers["Retry-After"]) == (503, "1")


@pytest.mark.case("J5")
@pytest.mark.parametrize("state", ["queued", "running", "finished", "failed"])
async def test_a_job_is_deleted_in_every_state(door: RunningShop, jobs: FakeJobService, state: str) -> None:
    job = jobs.put()
    if state == "running":
        await job.advance(1, 2)
    elif state == "finished":
        await job.succeed(PNG)
    elif state == "failed":
        await job.fail()
    reply = await call(door, "DELETE", f"/jobs/{job.job.id}")
    assert (reply.status, reply.body) == (204, b"")
    assert jobs.jobs == {}
    assert (job.job.state == jobs_pb2.JOB_STATE_CANCELLED) == (state in {"queued", "running"})
    for method, path in (("DELETE", f"/jobs/{job.job.id}"), ("GET", HD_RESULT + job.job.id)):
        assert (await call(door, method, path)).status == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/image/hd/submit/v1", "POST"),
        ("POST", "/video/result/x", "GET,HEAD"),
        ("POST", "/jobs/x", "DELETE"),
        ("HEAD", "/jobs/x/events", "GET"),
    ],
)
async def test_other_methods_are_405(
    door: RunningShop, jobs: FakeJobService, method: str, path: str, allowed: str
) -> None:
    reply = await call(door, method, path)
    assert (reply.status, reply.headers["Allow"]) == (405, allowed)


async def test_browsers_may_call_from_anywhere(door: RunningShop, jobs: FakeJobService) -> None:
    reply = await call(door, "OPTIONS", "/jobs/x")
    assert (reply.status, reply.headers["Access-Control-Allow-Methods"]) == (204, "DELETE, OPTIONS")
    job = jobs.put(kind=jobs_pb2.JOB_KIND_VIDEO)
    await job.succeed(PNG, "video/mp4")
    reply = await call(door, "HEAD", VIDEO_RESULT + job.job.id)
    exposed = reply.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Content-Disposition", "ETag", "Content-Range", "X-Video-Warning", "X-Matting"} <= set(exposed)

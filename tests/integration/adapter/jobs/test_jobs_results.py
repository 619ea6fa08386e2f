"""Every row of the public contract of results, HD images (C) and videos (D): status, body, headers, word for word."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from clearcanvas.v1 import jobs_pb2
from clearcanvas.v1.videos_pb2 import VideoFacts

from tests.integration.adapter.fake_jobs import FakeJob, FakeJobService
from tests.integration.adapter.jobs.calls import HD_RESULT, PNG, STRANGER, VIDEO_RESULT, call
from tests.integration.adapter.shop import RunningShop

TRIMMED = VideoFacts(width=640, height=480, duration_s=5.2, processed_s=4.0)

Happening = Callable[[FakeJob], Awaitable[None]]


async def nothing(_: FakeJob) -> None:
    pass


async def half_way(job: FakeJob) -> None:
    await job.advance(45, 120)


async def failure(job: FakeJob) -> None:
    await job.fail()


async def cancelled(job: FakeJob) -> None:
    await job.change(state=jobs_pb2.JOB_STATE_CANCELLED)


async def success(job: FakeJob) -> None:
    await job.succeed(PNG, "image/png" if job.job.kind == jobs_pb2.JOB_KIND_IMAGE else "video/mp4")


async def fetched(job: FakeJob) -> None:
    await success(job)
    job.job.result.available = False


@pytest.mark.parametrize(
    ("happening", "status", "words"),
    [
        (nothing, 202, {"message": "Task is still processing", "status": "processing"}),
        (half_way, 202, {"message": "Task is still processing", "status": "processing", "progress_percentage": 37.5}),
        (failure, 500, {"detail": "Image processing failed"}),
        (cancelled, 500, {"detail": "Image processing failed"}),
        (fetched, 404, {"detail": "Processed image file not found"}),
    ],
)
async def test_the_result_of_an_image_that_is_not_there(
    door: RunningShop, jobs: FakeJobService, happening: Happening, status: int, words: dict[str, Any]
) -> None:
    job = jobs.put()
    await happening(job)
    reply = await call(door, "GET", HD_RESULT + job.job.id)
    assert (reply.status, reply.words) == (status, words | ({"uuid": job.job.id} if status == 202 else {}))


async def test_the_result_of_an_image(door: RunningShop, jobs: FakeJobService) -> None:
    job = jobs.put()
    await success(job)
    reply = await call(door, "GET", HD_RESULT + job.job.id)
    assert (reply.status, reply.body) == (200, PNG)
    expected = {
        "Content-Type": "image/png",
        "Content-Length": str(len(PNG)),
        "Cache-Control": "no-cache",
        "X-Width": "640",
        "X-Model": "isnet",
        "X-Foreground-Left": "2",
    }
    assert {name: reply.headers[name] for name in expected} == expected
    again = await call(door, "GET", HD_RESULT + job.job.id)
    assert (again.status, again.words) == (404, {"detail": "Processed image file not found"})


@pytest.mark.parametrize(
    ("happening", "status", "words"),
    [
        (nothing, 202, {"message": "Video is still processing", "status": "processing"}),
        (
            half_way,
            202,
            {
                "message": "Video is still processing",
                "status": "processing",
                "current_frame": 45,
                "total_frames": 120,
                "progress_percentage": 37.5,
            },
        ),
        (failure, 500, {"message": "Video processing failed", "status": "failed"}),
        (cancelled, 500, {"message": "Video processing failed", "status": "failed"}),
        (fetched, 404, {"detail": "Processed video file not found"}),
    ],
)
async def test_the_result_of_a_video_that_is_not_there(
    door: RunningShop, jobs: FakeJobService, happening: Happening, status: int, words: dict[str, Any]
) -> None:
    job = jobs.put(kind=jobs_pb2.JOB_KIND_VIDEO)
    await happening(job)
    reply = await call(door, "GET", VIDEO_RESULT + job.job.id)
    assert (reply.status, reply.words) == (status, words | ({} if status == 404 else {"uuid": job.job.id}))


@pytest.mark.parametrize(
    ("content_type", "extension"),
    [("video/mp4", "mp4"), ("video/webm", "webm"), ("image/webp", "webp"), ("application/zip", "zip")],
)
async def test_the_result_of_a_video(
    door: RunningShop, jobs: FakeJobService, content_type: str, extension: str
) -> None:
    job = jobs.put(kind=jobs_pb2.JOB_KIND_VIDEO)
    await job.succeed(PNG, content_type)
    reply = await call(door, "GET", VIDEO_RESULT + job.job.id)
    assert (reply.status, reply.body) == (200, PNG)
    expected = {
        "Content-Type": content_type,
        "Cache-Control": "no-cache",
        "Content-Disposition": f"attachment; filename=processed_{job.job.id}.{extension}",
        "X-Matting": "quality",
        "X-Model": "selfie, isnet",
    }
    assert {name: reply.headers[name] for name in expected} == expected
    assert not [name for name in reply.headers if "Duration" in name or "Warning" in name]


async def test_the_result_of_a_video_that_was_trimmed(door: RunningShop, jobs: FakeJobService) -> None:
    jobs.facts = TRIMMED
    job = jobs.put(kind=jobs_pb2.JOB_KIND_VIDEO)
    await success(job)
    reply = await call(door, "GET", VIDEO_RESULT + job.job.id)
    expected = {
        "X-Video-Warning": "Original video (5.20s) was trimmed to 4 seconds",
        "X-Original-Duration": "5.20s",
        "X-Processed-Duration": "4.00s",
    }
    assert {name: reply.headers[name] for name in expected} == expected


@pytest.mark.parametrize("trimmed", [False, True])
async def test_the_result_of_a_video_that_lies_elsewhere(
    door: RunningShop, jobs: FakeJobService, *, trimmed: bool
) -> None:
    jobs.facts = TRIMMED if trimmed else jobs.facts
    job = jobs.put(kind=jobs_pb2.JOB_KIND_VIDEO)
    link = "https://cloudinary.com/video/processed_video.mp4"
    await job.succeed(PNG, "video/mp4", upload_link=link)
    reply = await call(door, "GET", VIDEO_RESULT + job.job.id)
    words = {
        "message": "Video processing completed successfully",
        "uuid": job.job.id,
        "status": "success",
        "upload_link": link,
    }
    warning = {
        "warning": "Video was trimmed from 5.20s to 4.00s",
        "original_duration": "5.20s",
        "processed_duration": "4.00s",
    }
    assert (reply.status, reply.words) == (200, words | (warning if trimmed else {}))
    assert job.confirmed == []


@pytest.mark.case("J11")
@pytest.mark.parametrize(
    "name",
    [
        STRANGER,
        STRANGER.upper(),
        "nonsense",
        "",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/etc/passwd",
        STRANGER + "/x",
        "{" + STRANGER + "}",
        "%00",
        "theirs",
        "of-another-kind",
    ],
)
@pytest.mark.parametrize(
    ("path", "words"),
    [
        (HD_RESULT, {"detail": "Task not found"}),
        (VIDEO_RESULT, {"message": "Task not found", "status": "not_found"}),
        ("/jobs/", {"message": "Task not found"}),
    ],
)
async def test_ids_of_others_forged_and_traversing_are_the_same_404(
    door: RunningShop, jobs: FakeJobService, path: str, words: dict[str, str], name: str
) -> None:
    if name == "theirs":
        name = jobs.put("key:0123456789ab").job.id
    elif name == "of-another-kind":
        kind = jobs_pb2.JOB_KIND_IMAGE if path == VIDEO_RESULT else jobs_pb2.JOB_KIND_VIDEO
        owner = "key:0123456789ab" if path == "/jobs/" else "open"
        name = jobs.put(owner, kind).job.id
    reply = await call(door, "DELETE" if path == "/jobs/" else "GET", path + name)
    assert (reply.status, reply.words) == (404, words)
    if path == "/jobs/":
        events = await call(door, "GET", f"{path}{name}/events")
        assert (events.status, events.words) == (404, words)

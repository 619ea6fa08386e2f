"""Every row of the public contract of submissions, HD images (C) and videos (D): status and body, word for word."""

import re
from typing import Any

import grpc
import pytest
from clearcanvas.v1.videos_pb2 import VideoFacts

from adapter.errors import DownloadError, NotAPictureError
from adapter.fetching.fetcher import Fetcher
from tests.integration.adapter.fake_jobs import WEBHOOK_KEY, FakeJobService, Refusal
from tests.integration.adapter.jobs.calls import HD, PNG, VIDEO, submit
from tests.integration.adapter.shop import RunningShop

Code = grpc.StatusCode
TRIMMED = VideoFacts(width=640, height=480, duration_s=5.2, processed_s=4.0)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
BUSY = Refusal(Code.RESOURCE_EXHAUSTED, "Too much work is in flight.", "OVERLOADED")
BROKEN = Refusal(Code.INTERNAL, "secret")
WEB = "https://example.com/a.png"

ACCEPTED_IMAGE = {"message": "Image submitted for processing", "status": "processing"}
ACCEPTED_VIDEO = {"message": "Video submitted for processing", "status": "processing", "duration": "3.50s"}
BAD_IMAGE = {"detail": "Invalid image file"}
NO_VIDEO = {"detail": "File must be a video"}
BAD_COLOR = {"detail": "bg_color must be in format 'R,G,B' (e.g., '255,0,0')"}
NO_PICTURE = {"detail": "URL must point to an image file"}
NOT_FETCHED = {"detail": f"Failed to download background image: {DownloadError().message}"}


def invalid(**fields: str) -> tuple[int, dict[str, Any]]:
    return 422, {"message": "Invalid request data", "fields": fields}


@pytest.mark.parametrize(
    ("facts", "fields", "words"),
    [
        (None, {}, ACCEPTED_VIDEO),
        (None, {"webhook_url": "https://example.com/hook"}, ACCEPTED_VIDEO | {"webhook_secret": WEBHOOK_KEY}),
        (
            TRIMMED,
            {},
            ACCEPTED_VIDEO
            | {
                "duration": "5.20s",
                "warning": "Video duration (5.20s) exceeds 4s limit. Only the first 4s will be processed.",
                "processed_duration": "4s",
            },
        ),
        (
            VideoFacts(duration_s=3.0, processed_s=2.5),
            {},
            ACCEPTED_VIDEO
            | {
                "duration": "3.00s",
                "warning": "Video duration (3.00s) exceeds 2.5s limit. Only the first 2.5s will be processed.",
                "processed_duration": "2.5s",
            },
        ),
    ],
)
async def test_a_video_is_accepted(
    door: RunningShop, jobs: FakeJobService, facts: VideoFacts | None, fields: dict[str, str], words: dict[str, str]
) -> None:
    jobs.facts = facts or jobs.facts
    reply = await submit(door, VIDEO, fields)
    assert (reply.status, reply.words) == (202, words | {"uuid": jobs.only.job.id})
    assert UUID.fullmatch(reply.words["uuid"])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ACCEPTED_IMAGE),
        ({"webhook_url": "https://example.com/hook"}, ACCEPTED_IMAGE | {"webhook_secret": WEBHOOK_KEY}),
    ],
)
async def test_an_image_is_accepted(
    door: RunningShop, jobs: FakeJobService, fields: dict[str, str], words: dict[str, str]
) -> None:
    reply = await submit(door, HD, fields)
    assert (reply.status, reply.words) == (202, words | {"uuid": jobs.only.job.id})
    assert UUID.fullmatch(reply.words["uuid"])


@pytest.mark.parametrize(
    ("refusal", "status", "words"),
    [
        (Refusal(Code.INVALID_ARGUMENT, "It is broken.", "INVALID_IMAGE"), 400, BAD_IMAGE),
        (Refusal(Code.INVALID_ARGUMENT, "It is a GIF.", "UNSUPPORTED_FORMAT"), 400, BAD_IMAGE),
        (Refusal(Code.INVALID_ARGUMENT, "10,001 pixels.", "DIMENSION_EXCEEDED"), 400, BAD_IMAGE),
        (Refusal(Code.INVALID_ARGUMENT, "101 megapixels.", "PIXELS_EXCEEDED"), 400, BAD_IMAGE),
        (
            Refusal(Code.INVALID_ARGUMENT, "", "NO_TRANSPARENCY"),
            400,
            {"message": "The input image must have a transparent background."},
        ),
        (
            Refusal(
                Code.INVALID_ARGUMENT, "options.webhook_url must be public.", "INVALID_PARAMETER", "options.webhook_url"
            ),
            422,
            {"message": "Invalid request data", "fields": {"webhook_url": "webhook_url must be public."}},
        ),
        (BROKEN, 500, {"detail": "Failed to submit image: Internal Server Error"}),
        (BUSY, 503, {"detail": "Failed to submit image: Too much work is in flight."}),
        (
            Refusal(Code.UNAVAILABLE, "The store does not answer.", "STORE_UNAVAILABLE"),
            503,
            {"detail": "Failed to submit image: The store does not answer."},
        ),
    ],
)
async def test_an_image_is_refused(
    door: RunningShop, jobs: FakeJobService, refusal: Refusal, status: int, words: dict[str, str]
) -> None:
    jobs.refusal = refusal
    reply = await submit(door, HD)
    assert (reply.status, reply.words) == (status, words)
    assert ("Retry-After" in reply.headers) == (status == 503)


@pytest.mark.parametrize(
    ("refusal", "status", "words"),
    [
        (
            Refusal(Code.INVALID_ARGUMENT, "The video has no frames.", "INVALID_VIDEO"),
            400,
            {"detail": "The video has no frames."},
        ),
        (
            Refusal(Code.INVALID_ARGUMENT, "The background is no picture.", "INVALID_IMAGE"),
            400,
            {"detail": "The background is no picture."},
        ),
        (BROKEN, 500, {"detail": "Failed to submit video: Internal Server Error"}),
        (BUSY, 503, {"detail": "Failed to submit video: Too much work is in flight."}),
    ],
)
async def test_a_video_is_refused(
    door: RunningShop, jobs: FakeJobService, refusal: Refusal, status: int, words: dict[str, str]
) -> None:
    jobs.refusal = refusal
    reply = await submit(door, VIDEO)
    assert (reply.status, reply.words) == (status, words)


@pytest.mark.parametrize(
    ("path", "sent", "answer"),
    [
        (HD, {"file": None}, invalid(image="is required")),
        (
            HD,
            {"fields": {"operation": "vanish"}},
            invalid(operation="must be matte, blur, color, gradient, shadow, generate or picture"),
        ),
        (
            HD,
            {"fields": {"webhook_url": "gopher://a"}},
            invalid(webhook_url="must be an http or https URL of at most 2048 characters"),
        ),
        (
            HD,
            {"fields": {"operation": "blur", "radius": "0"}},
            invalid(radius="must be 1 to 100"),
        ),
        (VIDEO, {"file": None}, invalid(video="is required")),
        (VIDEO, {"file": PNG, "file_type": "image/png"}, (400, NO_VIDEO)),
        (VIDEO, {"file": b"#EXTM3U", "file_type": "application/octet-stream"}, (400, NO_VIDEO)),
        (VIDEO, {"fields": {"bg_color": "red"}}, (400, BAD_COLOR)),
        (VIDEO, {"fields": {"bg_color": "256,0,0"}}, (400, BAD_COLOR)),
        (VIDEO, {"fields": {"bg_color": "1,2"}}, (400, BAD_COLOR)),
        (VIDEO, {"fields": {"bg_color": "1,2,3,4"}}, (400, BAD_COLOR)),
        (VIDEO, {"fields": {"bg_color": "#ff0000"}}, (400, BAD_COLOR)),
        (VIDEO, {"fields": {"bg_image_url": "file:///etc/passwd"}}, (400, NOT_FETCHED)),
        (VIDEO, {"fields": {"bg_image_url": "http://127.0.0.1/a.png"}}, (400, NOT_FETCHED)),
        (HD, {"fields": {"operation": "picture", "bg_image_url": "http://127.0.0.1/"}}, (400, NOT_FETCHED)),
        (
            VIDEO,
            {"fields": {"format": "gif"}},
            invalid(format="must be mp4, webm, webp or zip"),
        ),
        (
            VIDEO,
            {"fields": {"format": "mp4"}},
            invalid(format="mp4 has no transparency: use webm, webp or zip, or an opaque background"),
        ),
    ],
)
async def test_a_form_is_refused(
    door: RunningShop, jobs: FakeJobService, path: str, sent: dict[str, Any], answer: tuple[int, dict[str, Any]]
) -> None:
    reply = await submit(door, path, **sent)
    assert (reply.status, reply.words) == answer
    assert jobs.jobs == {}


@pytest.mark.parametrize("path", [HD, VIDEO])
async def test_what_is_behind_the_url_is_no_picture(
    door: RunningShop, jobs: FakeJobService, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async def fetch(*_: object) -> bytes:
        raise NotAPictureError

    monkeypatch.setattr(Fetcher, "fetch", fetch)
    reply = await submit(door, path, {"operation": "picture", "bg_image_url": WEB})
    assert (reply.status, reply.words) == (400, NO_PICTURE)
    assert jobs.jobs == {}

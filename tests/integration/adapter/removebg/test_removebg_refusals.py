"""What remove.bg's API refuses, and in which words."""

import base64
from typing import Any

import aiohttp
import grpc
import pytest

from tests.integration.adapter.fake_service import CHUNK, Behaviour, FakeImageService, fail
from tests.integration.adapter.fetching.web import PICTURE
from tests.integration.adapter.removebg.calls import ENCODED, PATH, empty, refusal

INVALID, UNAVAILABLE = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", "huge"),
        ("type", "ship"),
        ("type_level", "3"),
        ("format", "gif"),
        ("roi", "0 0 10 10"),
        ("roi", "0% 0% 100%"),
        ("roi", "0% 0% 101% 100%"),
        ("crop", "perhaps"),
        ("crop_margin", "501px"),
        ("crop_margin", "51%"),
        ("crop_margin", "1px 2px 3px"),
        ("scale", "9%"),
        ("scale", "101%"),
        ("scale", "big"),
        ("position", "left"),
        ("position", "1% 2% 3%"),
        ("channels", "rgb"),
        ("add_shadow", "maybe"),
        ("shadow_type", "long"),
        ("shadow_opacity", "101"),
        ("bg_color", "nocolor"),
        ("semitransparency", "half"),
    ],
)
async def test_a_wrong_parameter_is_named(
    http: aiohttp.ClientSession, fake: FakeImageService, name: str, value: str
) -> None:
    status, (error,) = await refusal(http, **{name: value})
    assert (status, error["code"]) == (400, f"invalid_{name}")
    assert error["title"] in {f"Invalid {name} parameter given", f"Invalid value for parameter '{name}'"}
    assert error["detail"].startswith(name)
    assert not fake.requests


@pytest.mark.parametrize("other", [{"bg_color": "fff"}, {"channels": "alpha"}, {"add_shadow": True}])
async def test_a_zip_is_of_the_cut_out_alone(
    http: aiohttp.ClientSession, fake: FakeImageService, other: dict[str, Any]
) -> None:
    status, (error,) = await refusal(http, format="zip", **other)
    assert (status, error["code"]) == (400, "invalid_format")
    assert error["detail"].startswith("format is zip for the cut-out alone")
    assert not fake.requests


async def test_all_that_is_wrong_is_told_at_once(http: aiohttp.ClientSession, fake: FakeImageService) -> None:
    _, errors = await refusal(http, size="huge", scale="50%", position="original", roi="x")
    assert [error["code"] for error in errors] == ["invalid_size", "invalid_position", "invalid_roi"]


@pytest.mark.parametrize(
    ("fields", "code", "title"),
    [
        ({"image_file_b64": ""}, "missing_source", "No image given"),
        (
            {"image_file_b64": ENCODED, "image_url": "http://example.com/"},
            "multiple_sources",
            "Multiple image sources given: Please provide either the image_url, image_file or "
            "image_file_b64 parameter.",
        ),
        (
            {"bg_color": "fff", "bg_image_url": "http://example.com/"},
            "multiple_bg_sources",
            "Multiple background sources given: Please provide either the bg_color, the bg_image_url or the "
            "bg_image_file parameter.",
        ),
        ({"image_url": "example.com/a.png"}, "invalid_image_url", "Invalid image_url: Please provide a valid URL."),
        (
            {"bg_image_url": "file:///etc/passwd"},
            "invalid_bg_image_url",
            "Invalid bg_image_url: Please provide a valid URL.",
        ),
        ({"image_file_b64": "no base64!"}, "failed_to_read_image", "There was an error reading the image."),
    ],
)
async def test_sources_are_one_each(
    http: aiohttp.ClientSession, fake: FakeImageService, fields: dict[str, str], code: str, title: str
) -> None:
    status, (error,) = await refusal(http, **fields)
    assert (status, error["code"], error["title"]) == (400, code, title)
    assert not fake.requests


@pytest.mark.case("S8")
@pytest.mark.parametrize(
    ("name", "code", "title"),
    [
        ("image_url", "failed_image_download", "Failed to download image from given image_url"),
        ("bg_image_url", "failed_bg_download", "Failed to download background image from given image_url"),
    ],
)
async def test_what_is_inside_is_not_fetched(
    http: aiohttp.ClientSession, fake: FakeImageService, name: str, code: str, title: str
) -> None:
    told = set()
    for url in (
        f"{http._base_url}/openapi.json",
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest",
        "http://[::1]/",
    ):
        status, (error,) = await refusal(http, **{name: url})
        assert (status, error["code"], error["title"]) == (400, code, title)
        told.add(error["detail"])
    assert len(told) == 1
    assert not fake.requests


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (fail(INVALID, "why", "INVALID_IMAGE"), (400, "failed_to_read_image", "There was an error reading the image.")),
        (fail(INVALID, "why", "UNSUPPORTED_FORMAT"), (400, "invalid_file_type", "Invalid file type")),
        (fail(INVALID, "why", "PIXELS_EXCEEDED"), (400, "resolution_too_high", "Image resolution too high")),
        (fail(INVALID, "why", "DIMENSION_EXCEEDED"), (400, "resolution_too_high", "Image resolution too high")),
        (fail(INVALID, "why", "PAYLOAD_TOO_LARGE"), (400, "file_too_large", "File too large")),
        (fail(INVALID, "why", "NO_SUBJECT"), (400, "unknown_foreground", "Could not identify foreground in image.")),
        (
            fail(INVALID, "why", "INVALID_PARAMETER", {"field": "region"}),
            (400, "roi_region_empty", "ROI region is empty"),
        ),
        (
            fail(INVALID, "why", "INVALID_PARAMETER", {"field": "output.crop.margin.top"}),
            (400, "invalid_crop_margin", "Invalid crop_margin parameter given"),
        ),
        (fail(UNAVAILABLE, "why", "OVERLOADED", retry_after_s=3), (503, "overloaded", "why")),
        (fail(grpc.StatusCode.UNKNOWN, "secret"), (500, "processing_failed", "Internal Server Error")),
    ],
)
async def test_what_the_service_refuses(
    http: aiohttp.ClientSession, fake: FakeImageService, behaviour: Behaviour, expected: tuple[int, str, str]
) -> None:
    fake.behaviour = behaviour
    status, (error,) = await refusal(http)
    assert (status, error["code"], error["title"]) == expected
    assert "secret" not in str(error)


async def test_a_picture_without_subject_is_refused(http: aiohttp.ClientSession, fake: FakeImageService) -> None:
    fake.behaviour = empty
    assert await refusal(http) == (
        400,
        [{"title": "Could not identify foreground in image.", "code": "unknown_foreground"}],
    )


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/plain", b"picture", (415, "unsupported_media_type")),
        ("application/json", b"{", (400, "malformed_body")),
        ("application/json", b"[]", (400, "malformed_body")),
        ("application/json", b'{"a": {}}', (400, "malformed_body")),
        ("application/json", b'{"a": "\xff"}', (400, "malformed_body")),
        ("application/json", b"[" * 100_000, (400, "file_too_large")),
        ("application/json", b'{"size": "' + b"x" * 5000 + b'"}', (400, "file_too_large")),
        ("application/x-www-form-urlencoded", b"&" * 100, (400, "file_too_large")),
        ("application/x-www-form-urlencoded", b"size=%ff", (400, "malformed_body")),
        ("multipart/form-data; boundary=x", b"--x", (400, "malformed_body")),
    ],
)
async def test_bodies_that_are_none(
    http: aiohttp.ClientSession, fake: FakeImageService, content_type: str, body: bytes, expected: tuple[int, str]
) -> None:
    async with http.post(PATH, data=body, headers={"Content-Type": content_type}) as response:
        assert (response.status, (await response.json())["errors"][0]["code"]) == expected


@pytest.mark.case("H1")
async def test_a_file_over_25_mib_is_too_large_in_every_spelling(
    http: aiohttp.ClientSession, fake: FakeImageService
) -> None:
    large = PICTURE + bytes(25 * CHUNK)
    form = aiohttp.FormData()
    form.add_field("image_file", large, filename="a.png")
    async with http.post(PATH, data=form) as response:
        errors = [(await response.json())["errors"][0]]
    errors += (await refusal(http, image_file_b64=base64.b64encode(large).decode()))[1]
    assert errors == [{"title": "File too large", "code": "file_too_large", "detail": "File exceeds limit of 25MB"}] * 2
    assert not fake.requests


async def test_what_the_path_does_not_know_is_refused_in_the_same_shape(http: aiohttp.ClientSession) -> None:
    async with http.get(PATH) as response:
        assert (response.status, (await response.json())["errors"][0]["code"]) == (405, "method_not_allowed")

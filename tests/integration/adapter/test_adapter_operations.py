"""The image operations: what the form becomes for the image service, and what its answers become for the caller."""

import json
import struct
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import grpc
import pytest
from clearcanvas.v1 import images_pb2
from clearcanvas.v1.composition_pb2 import Color, Composition, NoBackground
from clearcanvas.v1.images_pb2 import EditRequest, EditResponse

from tests.integration.adapter.fake_service import Behaviour, Context, FakeImageService, RunningFake, echo, fail
from tests.integration.adapter.forms import COLOR, MATTE, post
from tests.integration.adapter.process import run_adapter

USE_HD = "Image too large for regular processing. Use HD endpoint."


def png_header(width: int, height: int) -> bytes:
    """The signature and IHDR of a PNG, which is all that a size check reads."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 2, 0, 0, 0) + bytes(4)


async def refuse_by_size(request: EditRequest, context: Context) -> AsyncIterator[EditResponse]:
    """As the real server: more pixels than the request allows is PIXELS_EXCEEDED."""
    width, height = struct.unpack(">II", request.image[16:24])
    too_many = width * height > request.max_pixels
    behave = fail(grpc.StatusCode.INVALID_ARGUMENT, "too many", "PIXELS_EXCEEDED") if too_many else echo
    async for message in behave(request, context):
        yield message


async def test_matte_streams_the_result_with_its_facts(http: aiohttp.ClientSession, fake: FakeImageService) -> None:
    picture = bytes(range(256)) * 12_000  # 3 MB: several chunks.
    response, body = await post(http, MATTE, image=picture)
    assert response.status == 200
    assert body == picture
    expected = {
        "Content-Type": "image/png",
        "Content-Length": str(len(picture)),
        "Cache-Control": "no-cache",
        "X-Width": "640",
        "X-Height": "480",
        "X-Model": "isnet",
        "X-Foreground-Top": "1",
        "X-Foreground-Left": "2",
        "X-Foreground-Width": "3",
        "X-Foreground-Height": "4",
    }
    assert {name: response.headers[name] for name in expected} == expected
    assert response.headers["Server-Timing"].startswith("decode;dur=12.5, infer;dur=500.0, total;dur=")
    assert fake.requests == [
        EditRequest(
            image=picture,
            composition=Composition(none=NoBackground()),
            output=images_pb2.OutputOptions(format=images_pb2.IMAGE_FORMAT_PNG, kind=images_pb2.OUTPUT_KIND_PICTURE),
            max_pixels=2048 * 2048,
        )
    ]


@pytest.mark.parametrize("name", ["bgcolor", "bg_color", "color"])
async def test_color_is_taken_under_each_of_its_names(
    http: aiohttp.ClientSession, fake: FakeImageService, name: str
) -> None:
    response, _ = await post(http, COLOR, {name: "(1, 2,3, 40)"})
    assert response.status == 200
    assert fake.requests[0].composition == Composition(color=Color(red=1, green=2, blue=3, alpha=40))


@pytest.mark.parametrize("fields", [{}, {"bgcolor": ""}, {"somebody_elses_field": "blue"}])
async def test_color_is_white_when_none_is_sent(
    http: aiohttp.ClientSession, fake: FakeImageService, fields: dict[str, str]
) -> None:
    await post(http, COLOR, fields)
    assert fake.requests[0].composition == Composition(color=Color(red=255, green=255, blue=255, alpha=255))


async def test_format_output_model_and_accept_reach_the_service(
    http: aiohttp.ClientSession, fake: FakeImageService
) -> None:
    await post(http, MATTE, {"output": "mask", "format": "jpg", "model": "selfie-2"}, headers={"Accept": "image/webp"})
    await post(http, MATTE, headers={"Accept": "image/webp"})
    first, second = fake.requests
    assert first.output == images_pb2.OutputOptions(
        format=images_pb2.IMAGE_FORMAT_JPEG, kind=images_pb2.OUTPUT_KIND_MASK
    )
    assert first.model == "selfie-2"
    assert second.output.format == images_pb2.IMAGE_FORMAT_WEBP


@pytest.mark.parametrize(
    ("path", "fields", "wrong"),
    [
        (COLOR, {"bg_color": "256,0,0"}, {"bg_color"}),
        (
            COLOR,
            {"color": "reddish", "format": "gif", "output": "rgb", "model": "../etc"},
            {"color", "format", "output", "model"},
        ),
        (MATTE, {"format": "jpg"}, {"format"}),
        (COLOR, {"bgcolor": "1,2,3,254", "format": "jpg"}, {"format"}),
    ],
)
async def test_malformed_fields_are_named_all_at_once(
    http: aiohttp.ClientSession, fake: FakeImageService, path: str, fields: dict[str, str], wrong: set[str]
) -> None:
    response, body = await post(http, path, fields)
    answer = json.loads(body)
    assert response.status == 422
    assert answer["message"] == "Invalid request data"
    assert set(answer["fields"]) == wrong
    assert fake.requests == []


@pytest.mark.parametrize("image", [None, b""])
async def test_the_image_is_required(http: aiohttp.ClientSession, fake: FakeImageService, image: bytes | None) -> None:
    response, body = await post(http, MATTE, {"format": "png"}, image=image)
    assert response.status == 422
    assert json.loads(body) == {"message": "Invalid request data", "fields": {"image": "is required"}}
    assert fake.requests == []


@pytest.mark.parametrize(
    ("width", "height", "status"), [(2048, 2048, 200), (2048, 2049, 400), (4096, 1024, 200), (4097, 1024, 400)]
)
async def test_2048_by_2048_pixels_are_the_most(
    http: aiohttp.ClientSession, fake: FakeImageService, width: int, height: int, status: int
) -> None:
    fake.behaviour = refuse_by_size
    response, body = await post(http, MATTE, image=png_header(width, height))
    assert response.status == status
    if status == 400:
        assert json.loads(body) == {"message": USE_HD}


CODE = grpc.StatusCode


@pytest.mark.parametrize(
    ("refusal", "status", "answer"),
    [
        (fail(CODE.INVALID_ARGUMENT, "why", "INVALID_IMAGE"), 400, {"message": "why"}),
        (fail(CODE.INVALID_ARGUMENT, "why", "UNSUPPORTED_FORMAT"), 415, {"message": "why"}),
        (fail(CODE.INVALID_ARGUMENT, "why", "DIMENSION_EXCEEDED"), 400, {"message": "why"}),
        (fail(CODE.INVALID_ARGUMENT, "why", "PAYLOAD_TOO_LARGE"), 413, {"message": "why"}),
        (
            fail(CODE.INVALID_ARGUMENT, "why", "INVALID_PARAMETER", {"field": "x"}),
            422,
            {"message": "Invalid request data", "fields": {"x": "why"}},
        ),
        (
            fail(CODE.NOT_FOUND, "why", "MODEL_NOT_FOUND"),
            422,
            {"message": "Invalid request data", "fields": {"model": "why"}},
        ),
        (fail(CODE.INTERNAL, "why", "PROCESSING_FAILED"), 500, {"message": "Internal Server Error"}),
        (fail(CODE.UNKNOWN, "secret: /srv/x"), 500, {"message": "Internal Server Error"}),
        (
            fail(CODE.DEADLINE_EXCEEDED, "why", "DEADLINE_EXCEEDED"),
            504,
            {"message": "The image was not ready in time."},
        ),
    ],
)
async def test_refusals_of_the_service_arrive_in_the_shape_of_the_surface(
    http: aiohttp.ClientSession, fake: FakeImageService, refusal: Behaviour, status: int, answer: dict[str, Any]
) -> None:
    fake.behaviour = refusal
    response, body = await post(http, MATTE)
    assert (response.status, json.loads(body)) == (status, answer)
    assert response.headers["Content-Type"].startswith("application/json")


@pytest.mark.case("H10")
@pytest.mark.parametrize(
    ("refusal", "retry_after"),
    [
        (fail(CODE.RESOURCE_EXHAUSTED, "why", "OVERLOADED", retry_after_s=2.2), "3"),
        (fail(CODE.UNAVAILABLE, "why", "MODEL_UNAVAILABLE", retry_after_s=0.05), "1"),
        (fail(CODE.UNAVAILABLE, "why", "SHUTTING_DOWN"), "1"),
    ],
)
async def test_what_may_work_later_is_503_with_retry_after(
    http: aiohttp.ClientSession, fake: FakeImageService, refusal: Behaviour, retry_after: str
) -> None:
    fake.behaviour = refusal
    response, body = await post(http, MATTE)
    assert (response.status, json.loads(body)) == (503, {"message": "why"})
    assert response.headers["Retry-After"] == retry_after
    assert len(fake.requests) == 1  # Nothing is retried behind the caller's back.


@pytest.mark.case("H13")
async def test_a_service_that_is_gone_is_503_and_back_by_itself() -> None:
    running_fake = RunningFake()
    await running_fake.start()
    async with run_adapter(running_fake.address) as adapter, aiohttp.ClientSession(adapter.url) as http:
        assert (await post(http, MATTE))[0].status == 200
        await running_fake.stop()
        response, body = await post(http, MATTE)
        assert response.status == 503
        assert response.headers["Retry-After"] == "1"
        assert json.loads(body) == {"message": "The image service is unavailable. Try again later."}
        await running_fake.start()
        statuses = [503]
        while statuses[-1] == 503:
            statuses.append((await post(http, MATTE))[0].status)
        assert statuses[-1] == 200
        await running_fake.stop()

"""What a picture's first bytes tell, asked of a real server; its engine is never needed."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from clearcanvas.v1 import images_pb2

from tests.support.pictures import blank_png
from tests.support.processes import free_address
from tests.support.server import RunningServer, failure, picture, running_server

MAX_SIDE = 10_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder: Path = tmp_path_factory.mktemp("inspect")
    with running_server(free_address(), folder, max_pixels=50_000_000) as server:
        yield server


def inspect(
    server: RunningServer, prefix: bytes, total_size: int | None = None, max_pixels: int = 0
) -> images_pb2.InspectResponse:
    size = len(prefix) if total_size is None else total_size
    request = images_pb2.InspectRequest(prefix=prefix, total_size=size, max_pixels=max_pixels)
    return server.images.Inspect(request, timeout=30)


def refusal(server: RunningServer, prefix: bytes, total_size: int | None = None, max_pixels: int = 0) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        inspect(server, prefix, total_size, max_pixels)
    return failure(caught.value).reason


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_format_and_size_are_told(server: RunningServer, form: str) -> None:
    facts = inspect(server, picture(320, 240, form)).facts
    assert (facts.width, facts.height) == (320, 240)
    assert images_pb2.ImageFormat.Name(facts.format) == f"IMAGE_FORMAT_{form}"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_prefix_that_is_too_short_is_told_apart_until_it_is_long_enough(server: RunningServer, form: str) -> None:
    whole = picture(320, 240, form)
    length = 16
    while True:
        answer = inspect(server, whole[:length], len(whole))
        if answer.HasField("facts"):
            break
        assert length < answer.needed_bytes <= len(whole)
        length = answer.needed_bytes
    assert (answer.facts.width, answer.facts.height) == (320, 240)
    assert length < len(whole)


def test_a_picture_that_ends_in_its_header_is_invalid_and_not_unfinished(server: RunningServer) -> None:
    start = picture(form="PNG")[:20]
    assert inspect(server, start, 1000).needed_bytes > len(start)
    assert refusal(server, start) == "INVALID_IMAGE"


@pytest.mark.case("M1")
def test_refusals_are_those_of_an_edit(server: RunningServer) -> None:
    assert refusal(server, b"") == "INVALID_IMAGE"
    assert refusal(server, b"GIF89a" + bytes(30)) == "UNSUPPORTED_FORMAT"
    assert refusal(server, blank_png(MAX_SIDE + 1, 1)) == "DIMENSION_EXCEEDED"
    assert inspect(server, blank_png(5_000, MAX_SIDE)).facts.width == 5_000
    assert refusal(server, blank_png(5_001, MAX_SIDE)) == "PIXELS_EXCEEDED"
    assert refusal(server, picture(320, 240), max_pixels=320 * 240 - 1) == "PIXELS_EXCEEDED"
    assert refusal(server, bytes(16), 25 * 1024 * 1024 + 1) == "PAYLOAD_TOO_LARGE"

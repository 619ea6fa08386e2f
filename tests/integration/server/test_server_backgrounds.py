"""Backgrounds by gRPC, with a real Triton: what is drawn, what a second picture is refused for, and what is left."""

from collections.abc import Iterator

import grpc
import numpy as np
import pytest
from clearcanvas.v1 import composition_pb2 as wire
from clearcanvas.v1 import images_pb2

from tests.support.pictures import blank_png
from tests.support.processes import wait_until
from tests.support.server import RunningServer, encoded, failure, picture, running_server

Request = images_pb2.EditRequest


@pytest.fixture(scope="module")
def server(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(engine, tmp_path_factory.mktemp("server"), max_pixels=4_000_000) as server:
        wait_until(server.serving, "the server serves")
        yield server


def behind(image: bytes, **options: object) -> wire.Composition:
    return wire.Composition(picture=wire.Picture(image=image, **options))  # type: ignore[arg-type]


def plain(width: int, height: int, color: tuple[int, int, int] = (10, 200, 90)) -> bytes:
    return encoded(np.full((height, width, 3), color, np.uint8), "PNG")


@pytest.mark.parametrize(
    "composition",
    [
        wire.Composition(gradient=wire.Gradient(kind=wire.GRADIENT_KIND_RADIAL)),
        wire.Composition(blur=wire.Blur(kind=wire.BLUR_KIND_LENS, radius=100)),
        behind(plain(50, 90)),
    ],
    ids=["gradient", "blur", "picture"],
)
def test_background_fills_what_is_not_subject(server: RunningServer, composition: wire.Composition) -> None:
    answer = server.edit(Request(image=picture(640, 480), composition=composition))
    assert answer.pixels().shape == (480, 640, 3)
    alone = server.edit(Request(image=picture(640, 480))).pixels()
    inside = alone[..., 3] == 255
    assert np.array_equal(answer.pixels()[inside], alone[inside][:, :3])


def test_picture_is_laid_behind_and_nothing_of_it_is_left(server: RunningServer) -> None:
    answer = server.edit(Request(image=picture(640, 480), composition=behind(plain(50, 90))))
    assert answer.pixels()[5, 5].tolist() == [10, 200, 90]
    contained = behind(plain(50, 100), fit=wire.FIT_CONTAIN, fill=wire.Color(red=1, green=2, blue=3))
    pixels = server.edit(Request(image=picture(400, 300), composition=contained)).pixels()
    assert pixels[5, 5].tolist() == [1, 2, 3]
    assert pixels[5, 200].tolist() == [10, 200, 90]
    server.wait_until_idle()


@pytest.mark.parametrize(
    ("background", "reason"),
    [
        (b"no picture at all", "UNSUPPORTED_FORMAT"),
        (plain(50, 90)[:40], "INVALID_IMAGE"),
        (plain(50, 90)[:-60], "INVALID_IMAGE"),
        (blank_png(10_001, 1), "DIMENSION_EXCEEDED"),
        (blank_png(2001, 2000), "PIXELS_EXCEEDED"),
        (b"", "INVALID_IMAGE"),
    ],
    ids=["foreign", "header cut off", "cut off", "too long", "too many pixels", "empty"],
)
def test_second_picture_has_the_limits_of_the_first(server: RunningServer, background: bytes, reason: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.edit(Request(image=picture(), composition=behind(background)))
    refusal = failure(caught.value)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    server.wait_until_idle()
    assert server.serving()


def test_refusal_says_which_picture_it_is(server: RunningServer) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.edit(Request(image=picture(), composition=behind(b"no picture at all")))
    refusal = failure(caught.value)
    assert refusal.metadata["field"] == "picture.image"
    assert refusal.message.startswith("In the background: ")
    with pytest.raises(grpc.RpcError) as caught:
        server.edit(Request(image=b"no picture at all", composition=behind(plain(5, 5))))
    assert "field" not in failure(caught.value).metadata

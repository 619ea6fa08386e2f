"""The service with a real Triton and the toy model: what a caller gets, right and wrong."""

from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import grpc
import numpy as np
import pytest
from clearcanvas.v1 import composition_pb2, images_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.support.processes import wait_until
from tests.support.server import RunningServer, encoded, failure, picture, running_server

MIB = 1024 * 1024
Request = images_pb2.EditRequest


@pytest.fixture(scope="module")
def server(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(engine, tmp_path_factory.mktemp("server")) as server:
        wait_until(server.serving, "the server serves")
        yield server


def padded_png(size: int) -> bytes:
    """A PNG of exactly `size` bytes: a private chunk that decoders skip fills it up."""
    data = picture(form="PNG")
    length = size - len(data) - 12
    body = b"prVt" + bytes(length)
    chunk = length.to_bytes(4, "big") + body + crc32(body).to_bytes(4, "big")
    return data[:33] + chunk + data[33:]


def test_a_picture_is_cut_out(server: RunningServer) -> None:
    answer = server.edit(Request(image=picture(1632, 1224)), x_request_id="order-66")
    header = answer.header
    assert (header.content_type, header.width, header.height) == ("image/png", 1632, 1224)
    assert header.size == len(answer.data)
    assert header.model == "toy"
    assert header.device.startswith("cpu/")
    assert [stage.name for stage in header.stages] == ["queue", "decode", "infer", "refine", "encode"]
    assert all(stage.seconds >= 0 for stage in header.stages)
    pixels = answer.pixels()
    assert pixels.shape == (1224, 1632, 4)
    assert pixels[612, 816, 3] == 255
    assert pixels[10, 10, 3] == 0
    box = header.foreground
    assert abs(box.top - 306) < 32  # The model sees 256 pixels for 1224, and soft pixels count.
    assert abs(box.width - 612) < 64
    assert answer.metadata["x-request-id"] == "order-66"


def test_a_large_result_comes_in_chunks_of_at_most_one_mebibyte(server: RunningServer) -> None:
    noise = np.random.default_rng(7).integers(100, 255, (1000, 1200, 3), np.uint8)
    answer = server.edit(Request(image=encoded(noise, "PNG")))
    assert len(answer.chunks) > 1
    assert {len(chunk) for chunk in answer.chunks[:-1]} == {MIB}
    assert 0 < len(answer.chunks[-1]) <= MIB
    assert answer.pixels().shape == (1000, 1200, 4)


@pytest.mark.parametrize(
    ("form", "kind", "content_type", "bands"),
    [
        (images_pb2.IMAGE_FORMAT_PNG, images_pb2.OUTPUT_KIND_MASK, "image/png", 1),
        (images_pb2.IMAGE_FORMAT_WEBP, images_pb2.OUTPUT_KIND_PICTURE, "image/webp", 3),
        (images_pb2.IMAGE_FORMAT_JPEG, images_pb2.OUTPUT_KIND_PICTURE, "image/jpeg", 3),
    ],
)
def test_formats_kinds_and_a_colour(server: RunningServer, form: int, kind: int, content_type: str, bands: int) -> None:
    color = composition_pb2.Color(red=255, green=0, blue=255)
    answer = server.edit(
        Request(
            image=picture(),
            composition=composition_pb2.Composition(color=color),
            output=images_pb2.OutputOptions(format=form, kind=kind),  # type: ignore[arg-type] # a parameter is an int
        )
    )
    assert answer.header.content_type == content_type
    pixels = answer.pixels()
    assert (1 if pixels.ndim == 2 else pixels.shape[2]) == bands
    if bands == 3:
        assert np.abs(pixels[4, 4].astype(int) - (255, 0, 255)).max() < 8


BAD = [
    ("nothing", Request(), "INVALID_IMAGE", None),
    ("a GIF", Request(image=b"GIF89a" + bytes(64)), "UNSUPPORTED_FORMAT", None),
    ("half a picture", Request(image=picture()[:2000]), "INVALID_IMAGE", None),
    ("a side of 10,001", Request(image=picture(10_001, 1, "PNG")), "DIMENSION_EXCEEDED", None),
    ("one pixel too many", Request(image=picture(), max_pixels=320 * 240 - 1), "PIXELS_EXCEEDED", None),
    (
        "a colour of 256",
        Request(image=picture(), composition=composition_pb2.Composition(color=composition_pb2.Color(green=256))),
        "INVALID_PARAMETER",
        "color.green",
    ),
    (
        "an unknown format",
        Request(image=picture(), output=images_pb2.OutputOptions(format=77)),  # type: ignore[arg-type] # on purpose
        "INVALID_PARAMETER",
        "output.format",
    ),
    ("a name with a line break", Request(image=picture(), model="a\nb"), "INVALID_PARAMETER", "model"),
]


@pytest.mark.parametrize(("request_", "reason", "field"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_can_never_work_is_refused(
    server: RunningServer, request_: images_pb2.EditRequest, reason: str, field: str | None
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.edit(request_, x_request_id="bad-1")
    seen = failure(caught.value)
    assert (seen.code, seen.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert seen.metadata.get("field") == field
    assert seen.retry_s is None
    assert seen.trailing["x-request-id"] == "bad-1"
    assert seen.initial == {}  # or gRPC's own retries would not act on a failure


def test_as_many_pixels_as_allowed_pass(server: RunningServer) -> None:
    assert server.edit(Request(image=picture(), max_pixels=320 * 240)).header.width == 320


def test_an_unknown_model_is_not_found(server: RunningServer) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.edit(Request(image=picture(), model="nobody"))
    seen = failure(caught.value)
    assert (seen.code, seen.reason) == (grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND")


@pytest.mark.case("H1")
def test_twenty_five_mebibytes_pass_and_one_byte_more_does_not(server: RunningServer) -> None:
    assert server.edit(Request(image=padded_png(25 * MIB))).header.width == 320
    with pytest.raises(grpc.RpcError) as caught:
        server.edit(Request(image=padded_png(25 * MIB + 1)))
    seen = failure(caught.value)
    assert (seen.code, seen.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAYLOAD_TOO_LARGE")


@pytest.mark.case("H1")
def test_a_message_far_too_large_is_not_read(server: RunningServer) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.edit(Request(image=bytes(64 * MIB)))
    assert failure(caught.value).code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert server.edit(Request(image=picture())).header.width == 320


def test_a_request_id_that_is_no_plain_word_is_replaced(server: RunningServer) -> None:
    answer = server.edit(Request(image=picture()), x_request_id="x" * 129)
    assert len(answer.metadata["x-request-id"]) == 16


def test_health_says_which_model_runs_where(server: RunningServer) -> None:
    for service in ("", "clearcanvas.v1.ImageService"):
        health = server.check(service)
        assert health.serving
        assert health.metadata["clearcanvas-model"] == "toy"
        assert health.metadata["clearcanvas-device"].startswith("cpu/")
    with pytest.raises(grpc.RpcError) as caught:
        server.check("nothing")
    assert failure(caught.value).code is grpc.StatusCode.NOT_FOUND


def test_reflection_lists_the_services(server: RunningServer) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(server.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = stub.ServerReflectionInfo(iter([request]), timeout=10)  # type: ignore[operator] # its stub is wrong
    names = {service.name for service in answer.list_services_response.service}
    assert {"clearcanvas.v1.ImageService", "grpc.health.v1.Health"} <= names


def test_nothing_is_left_of_a_request(server: RunningServer) -> None:
    server.edit(Request(image=picture()))
    server.wait_until_idle()
    text = server.log.read_text()
    assert "Edit ok" in text
    assert "\\x89PNG" not in text


@pytest.mark.case("V4")
def test_no_process_of_the_server_shows_its_settings(server: RunningServer) -> None:
    for process in [*server.process.children(), *server.workers()]:
        environment = Path(f"/proc/{process.pid}/environ").read_text()
        assert "PATH=" in environment
        assert "CLEARCANVAS_" not in environment


def test_plain_grpc_gives_the_same_result(server: RunningServer, engine: str, tmp_path: Path) -> None:
    request = Request(image=picture(640, 480))
    with running_server(engine, tmp_path, triton_shared_memory=False) as other:
        assert other.edit(request).data == server.edit(request).data

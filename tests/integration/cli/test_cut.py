"""`clearcanvas cut` against a service of our own that keeps the contract, so that it can be made to fail."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
import typer
from clearcanvas.v1 import images_pb2, images_pb2_grpc
from typer.testing import CliRunner, Result

from cli.client import MAX_IMAGE_BYTES
from cli.cut import cut

app = typer.Typer()
app.command()(cut)


class Service(images_pb2_grpc.ImageServiceServicer):
    """Answers `cut:` + the bytes it was sent, in chunks; misbehaves as the bytes tell it to."""

    def __init__(self) -> None:
        self.requests: list[images_pb2.EditRequest] = []
        self.busy = 0
        self.in_flight = self.most_in_flight = 0
        self.lock = threading.Lock()

    def Edit(  # noqa: N802 - gRPC's name.
        self, request: images_pb2.EditRequest, context: grpc.ServicerContext
    ) -> Iterator[images_pb2.EditResponse]:
        with self.lock:
            self.requests.append(request)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            busy, self.busy = self.busy > 0, self.busy - 1
        try:
            threading.Event().wait(0.05)
            if busy:
                context.set_trailing_metadata((("grpc-retry-pushback-ms", "20"),))
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "overloaded")
            if request.image == b"bad":
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "this is not a picture")
            result = b"cut:" + request.image
            yield images_pb2.EditResponse(header=images_pb2.EditHeader(size=len(result)))
            yield images_pb2.EditResponse(chunk=result[:4])
            if request.image == b"breaks":
                context.abort(grpc.StatusCode.INTERNAL, "the worker died")
            if request.image != b"short":
                for start in range(4, len(result), 1024 * 1024):
                    yield images_pb2.EditResponse(chunk=result[start : start + 1024 * 1024])
        finally:
            with self.lock:
                self.in_flight -= 1

    def Inspect(  # noqa: N802 - gRPC's name.
        self, request: images_pb2.InspectRequest, context: grpc.ServicerContext
    ) -> images_pb2.InspectResponse:
        raise AssertionError("`cut` does not ask")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    servicer = Service()
    server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.max_receive_message_length", MAX_IMAGE_BYTES + 1024)])
    images_pb2_grpc.add_ImageServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("CLEARCANVAS_GRPC", f"127.0.0.1:{port}")
    yield servicer
    server.stop(None).wait()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def write(folder: Path, **pictures: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in pictures.items():
        (folder / f"{name}.png").write_bytes(data)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_folder_is_cut(service: Service, tmp_path: Path) -> None:
    result = run(write(tmp_path / "in", a=b"1", b=b"2"), "-o", tmp_path / "out")
    assert result.exit_code == 0
    assert "2 cut, 0 kept, 0 failed" in result.output
    assert read(tmp_path / "out") == {"a.png": b"cut:1", "b.png": b"cut:2"}


def test_the_options_reach_the_service(service: Service, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a=b"1")
    assert run(folder, "-o", tmp_path, "--color", "#0a0b0c", "--format", "jpg", "--model", "m").exit_code == 0
    assert run(folder, "-o", tmp_path / "masks", "--mask", "--format", "webp").exit_code == 0
    picture, mask = service.requests
    assert (picture.composition.color.red, picture.composition.color.blue, picture.model) == (10, 12, "m")
    assert picture.output.format == images_pb2.IMAGE_FORMAT_JPEG
    assert picture.output.kind == images_pb2.OUTPUT_KIND_PICTURE
    assert mask.composition.WhichOneof("background") is None
    assert (mask.output.format, mask.output.kind) == (images_pb2.IMAGE_FORMAT_WEBP, images_pb2.OUTPUT_KIND_MASK)
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "masks" / "a.webp").read_bytes() == b"cut:1"


def test_one_bad_file_is_reported_and_the_rest_is_done(service: Service, tmp_path: Path) -> None:
    result = run(write(tmp_path / "in", a=b"1", b=b"bad", c=b"breaks", d=b"short", e=b"2"), "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "2 cut, 0 kept, 3 failed" in result.output
    assert "b.png: this is not a picture" in result.output
    assert "c.png: the worker died" in result.output
    assert "d.png: the server sent 4 bytes of 9" in result.output
    assert read(tmp_path / "out") == {"a.png": b"cut:1", "e.png": b"cut:2"}


def test_results_that_are_there_are_kept(service: Service, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a=b"1", b=b"2")
    write(tmp_path / "out", a=b"old")
    result = run(folder, "-o", tmp_path / "out")
    assert "1 cut, 1 kept, 0 failed" in result.output
    assert read(tmp_path / "out") == {"a.png": b"old", "b.png": b"cut:2"}
    assert run(folder, "-o", tmp_path / "out", "--overwrite").exit_code == 0
    assert read(tmp_path / "out") == {"a.png": b"cut:1", "b.png": b"cut:2"}


def test_a_failed_overwrite_leaves_the_old_result(service: Service, tmp_path: Path) -> None:
    write(tmp_path / "out", a=b"old")
    assert run(write(tmp_path / "in", a=b"breaks"), "-o", tmp_path / "out", "--overwrite").exit_code == 1
    assert read(tmp_path / "out") == {"a.png": b"old"}


def test_no_more_than_asked_are_in_flight(service: Service, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", **{f"p{number}": b"1" for number in range(12)})
    assert run(folder, "-o", tmp_path / "out", "--in-flight", "3").exit_code == 0
    assert service.most_in_flight == 3
    assert len(service.requests) == 12


@pytest.mark.parametrize("size", [1, MAX_IMAGE_BYTES])
def test_a_busy_service_is_waited_for(service: Service, tmp_path: Path, size: int) -> None:
    service.busy = 3
    result = run(write(tmp_path / "in", a=b"x" * size), "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert len(service.requests) == 4
    assert len(read(tmp_path / "out")["a.png"]) == 4 + size


def test_a_service_that_stays_busy_is_given_up_on(service: Service, tmp_path: Path) -> None:
    service.busy = 100
    result = run(write(tmp_path / "in", a=b"1"), "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "overloaded" in result.output
    assert len(service.requests) == 5


def test_a_file_over_the_limit_is_not_sent(service: Service, tmp_path: Path) -> None:
    result = run(write(tmp_path / "in", a=b"x" * (MAX_IMAGE_BYTES + 1)), "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "larger than 25 MiB" in result.output
    assert service.requests == []


def test_a_call_that_cannot_be_understood_is_told_apart(service: Service, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a=b"1")
    assert run(tmp_path / "missing", "-o", tmp_path / "out").exit_code == 2
    assert run(folder, "-o", folder).exit_code == 2
    assert run(folder, "-o", tmp_path / "out", "--color", "blueish").exit_code == 2
    assert run(folder).exit_code == 2
    assert service.requests == []


def test_no_server_is_said_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a=b"1", b=b"2")
    result = run(folder, "-o", tmp_path / "out", "--grpc", "127.0.0.1:1")
    assert result.exit_code == 1
    assert result.output.count("clearcanvas up") == 1

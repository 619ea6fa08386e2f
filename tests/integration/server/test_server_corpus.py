"""Pictures that have broken decoders before: each is edited, or refused as the caller's fault, and nothing dies."""

import os
from collections.abc import Iterator
from pathlib import Path

import grpc
import psutil
import pytest
from clearcanvas.v1.images_pb2 import EditRequest

from tests.support.load import attempt
from tests.support.processes import wait_until
from tests.support.server import Answer, RunningServer, picture, running_server

FOLDER = Path(os.environ.get("CORPUS", Path(__file__).parents[2] / "broken"))
FILES = sorted(path for path in FOLDER.rglob("*") if path.is_file() and path.name not in {"LICENSE", "README.md"})
# The caller's own fault, or a picture that may be good elsewhere.
REFUSALS = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION}


@pytest.fixture(scope="module")
def server(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(engine, tmp_path_factory.mktemp("server")) as server:
        wait_until(server.serving, "the server serves")
        server.edit(EditRequest(image=picture()))
        yield server


@pytest.fixture(scope="module")
def workers(server: RunningServer) -> list[psutil.Process]:
    """Those of before: that they are there still shows that none has died."""
    return server.workers()


@pytest.mark.case("M9")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_a_picture_that_broke_decoders_breaks_nothing(
    server: RunningServer, workers: list[psutil.Process], path: Path
) -> None:
    seen = attempt(server, EditRequest(image=path.read_bytes()))
    assert isinstance(seen, Answer) or seen.code in REFUSALS, seen
    assert server.workers() == workers
    assert server.files() == []

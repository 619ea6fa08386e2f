"""An engine with the toy model and a slow one, which the tests of faults share, and a fresh server for each."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.processes import free_address, module, running, tail, wait_until
from tests.support.server import RunningServer, running_server
from tests.support.slow_model import write_slow_model
from tests.support.toy_model import write_toy_model

Settings = dict[str, str]


@pytest.fixture(scope="session")
def slow_settings(triton_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An engine's settings: a repository with the toy model and the slow one."""
    folder = tmp_path_factory.mktemp("slow")
    write_toy_model(folder / "repository")
    write_slow_model(folder / "repository")
    return {
        "CLEARCANVAS_TRITON": free_address(),
        "CLEARCANVAS_DATA": str(folder / "data"),
        "CLEARCANVAS_MODEL_REPOSITORY": str(folder / "repository"),
        "CLEARCANVAS_TRITON_ENV": str(triton_env),
    }


@pytest.fixture(scope="session")
def slow_engine(slow_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[psutil.Process]:
    with running(module("engine"), slow_settings, tmp_path_factory.mktemp("log") / "engine.log") as process:
        yield psutil.Process(process.pid)


@pytest.fixture
def server(slow_engine: psutil.Process, slow_settings: Settings, tmp_path: Path) -> Iterator[RunningServer]:
    assert slow_engine.is_running()
    with running_server(slow_settings["CLEARCANVAS_TRITON"], tmp_path) as server:
        wait_until(server.serving, f"the server serves\n{tail(server.log)}")
        yield server

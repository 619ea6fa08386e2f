"""The engine brings Triton back from every way of dying, alone, and leaves nothing behind when it ends."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from tritonclient.utils import InferenceServerException

from tests.integration.engine.engine_process import (
    RunningEngine,
    ended_engine,
    is_alive,
    kill,
    running_engine,
)
from tests.support.processes import SHARED_MEMORY, wait_until
from tests.support.toy_model import write_toy_model


@pytest.fixture
def engine(toy_repository: Path, triton_env: Path, tmp_path: Path) -> Iterator[RunningEngine]:
    """An engine of the test's own, quick to call a model hung."""
    with running_engine(toy_repository, triton_env, tmp_path, {"CLEARCANVAS_TRITON_HANG_S": "3"}) as engine:
        assert engine.answers()
        yield engine


@pytest.mark.case("H13")
def test_a_killed_stub_is_replaced_without_a_restart(engine: RunningEngine) -> None:
    triton, (stub,), regions = engine.triton(), engine.stubs(), engine.regions()
    kill(stub)
    wait_until(lambda: engine.logged("model toy@1 is back"), "the model is back")
    assert engine.answers()
    assert engine.triton() == triton
    wait_until(lambda: not regions & engine.regions(), "the dead stub's shared memory is gone")


@pytest.mark.case("H13")
def test_each_version_is_watched_and_replaced_for_itself(triton_env: Path, tmp_path: Path) -> None:
    write_toy_model(tmp_path / "models", "toy", 64)
    write_toy_model(tmp_path / "models", "toy", 64, version=2, gain=-4.0)
    with running_engine(tmp_path / "models", triton_env, tmp_path) as engine:
        # Nobody has asked for the second.
        assert (brightness(engine, "1"), brightness(engine, "2")) == (255, None)

        engine.load_versions("toy", [1, 2])
        assert (brightness(engine, "1"), brightness(engine, "2")) == (255, 0)

        first, second = (
            next(stub for stub in engine.stubs() if f"/toy/{number}/" in stub.cmdline()[1]) for number in "12"
        )
        kill(second)
        wait_until(lambda: engine.logged("model toy@2 is back"), "the version is back")
        assert (brightness(engine, "1"), brightness(engine, "2")) == (255, 0)
        assert first in engine.stubs()

        kill(engine.triton())
        wait_until(lambda: brightness(engine, "2") == 0, "the version that was loaded is served again")
        assert brightness(engine, "1") == 255


def brightness(engine: RunningEngine, version: str) -> int | None:
    """What a version makes of white, None where it is not served."""
    try:
        return int(engine.infer(np.full((1, 64, 64, 3), 255, np.uint8), "toy", version).min())
    except InferenceServerException:
        return None


@pytest.mark.case("H13")
def test_a_killed_tritonserver_is_replaced_with_its_stubs(engine: RunningEngine) -> None:
    triton, (stub,), regions = engine.triton(), engine.stubs(), engine.regions()
    kill(triton)
    wait_until(engine.answers, "the model answers again")
    assert not is_alive(stub)
    assert not regions & engine.regions()
    assert engine.process.poll() is None


@pytest.mark.case("H13")
def test_a_stub_that_hangs_is_replaced(engine: RunningEngine) -> None:
    (stub,) = engine.stubs()
    stub.suspend()
    wait_until(lambda: engine.logged("model toy@1 is back"), "the model is back")
    assert engine.answers()
    assert not is_alive(stub)


@pytest.mark.case("H13")
def test_a_tritonserver_that_hangs_is_replaced(engine: RunningEngine) -> None:
    triton = engine.triton()
    triton.suspend()
    wait_until(lambda: engine.logged("tritonserver is back"), "tritonserver is back")
    assert engine.answers()
    assert not is_alive(triton)


def test_a_model_is_brought_back_as_often_as_it_dies(engine: RunningEngine) -> None:
    for deaths in (1, 2, 3):
        kill(engine.stubs()[0])
        wait_until(lambda: engine.log.read_text().count("is back") == deaths, "the model is back")  # noqa: B023
        assert engine.answers()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_leaves_nothing(engine: RunningEngine, number: int) -> None:
    family = [engine.triton(), *engine.stubs()]
    engine.process.send_signal(number)
    assert engine.process.wait(30) == 0
    assert not any(map(is_alive, family))
    assert engine.regions() == set()


def test_asked_to_stop_with_a_dead_stub_it_leaves_nothing(engine: RunningEngine) -> None:
    triton, (stub,) = engine.triton(), engine.stubs()
    kill(stub)
    engine.process.terminate()
    assert engine.process.wait(30) == 0
    assert not is_alive(triton)
    assert engine.regions() == set()


def test_killed_it_takes_triton_with_it_and_the_next_one_sweeps(
    engine: RunningEngine, toy_repository: Path, triton_env: Path, tmp_path: Path
) -> None:
    family = [engine.triton(), *engine.stubs()]
    engine.process.kill()
    engine.process.wait()
    wait_until(lambda: not any(map(is_alive, family)), "Triton and its stubs are gone")
    assert engine.regions()
    with running_engine(toy_repository, triton_env, tmp_path):
        assert not engine.regions()


def test_two_engines_do_not_share_a_data_folder_or_a_port(
    engine: RunningEngine, toy_repository: Path, triton_env: Path, tmp_path: Path
) -> None:
    same_folder = ended_engine(toy_repository, triton_env, tmp_path)
    address = next(word for word in engine.triton().cmdline() if word.startswith("--grpc-port=")).partition("=")[2]
    same_port = ended_engine(toy_repository, triton_env, tmp_path / "other", f"127.0.0.1:{address}")

    assert same_folder.returncode == same_port.returncode == 1
    assert "another engine" in same_folder.stderr
    assert "cannot listen" in same_port.stderr
    assert engine.answers()


@pytest.mark.case("C4")
@pytest.mark.parametrize("version", [1, 2])
def test_a_flipped_byte_in_the_weights_is_refused_by_name(triton_env: Path, tmp_path: Path, version: int) -> None:
    for number in (1, 2):
        folder = write_toy_model(tmp_path / "models", version=number)
    weights = folder / str(version) / "model.onnx"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)

    ended = ended_engine(tmp_path / "models", triton_env, tmp_path)

    assert ended.returncode == 1
    assert str(weights) in ended.stderr


def test_a_card_for_a_gpu_is_never_served_by_a_cpu(toy_repository: Path, triton_env: Path, tmp_path: Path) -> None:
    ended = ended_engine(toy_repository, triton_env, tmp_path, environment={"CLEARCANVAS_TRITON_CONFIG": "gpu"})
    assert ended.returncode == 1
    assert "KIND_GPU" in ended.stderr


def test_an_empty_repository_is_an_error(triton_env: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    ended: subprocess.CompletedProcess[str] = ended_engine(tmp_path / "models", triton_env, tmp_path)
    assert ended.returncode == 1
    assert "no model" in ended.stderr


def test_no_region_of_a_dead_engine_is_left(engine: RunningEngine) -> None:
    owners = {int(path.name.split("-")[2]) for path in SHARED_MEMORY.glob("clearcanvas-triton-*")}
    assert all(psutil.pid_exists(owner) for owner in owners)
    assert engine.process.pid in owners

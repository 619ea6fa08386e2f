"""How Triton is started: each option that keeps a trap shut has a test here."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from engine.environment import TritonEnvironment, locate
from engine.errors import EngineError
from engine.launch import STUB, Launch, check_port
from engine.shm import shm_prefix


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """A launch whose environment holds empty files where the wheel has Triton's."""
    environment = TritonEnvironment(tmp_path / "env", tmp_path / "packages", tmp_path / "libraries", "3.11")
    stub = environment.triton / "python_backend_stubs" / "3.11" / STUB
    backend = environment.triton / "backends" / "python"
    for file in (stub, backend / "libtriton_python.so", backend / "triton_python_backend_utils.py"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return Launch(
        environment=environment,
        folder=tmp_path / "data" / "engine",
        repository=tmp_path / "models",
        models=("isnet", "toy"),
        host="127.0.0.1",
        port=8400,
        cache=tmp_path / "data" / "compiled",
        log=tmp_path / "data" / "logs" / "triton.log",
    )


@pytest.mark.parametrize(
    "option",
    [
        "--grpc-address=127.0.0.1",
        "--grpc-port=8400",
        "--allow-http=false",
        "--allow-metrics=false",
        "--strict-readiness=false",
        "--exit-on-error=false",
        "--model-config-name=cpu",
        "--model-control-mode=explicit",
        "--disable-auto-complete-config",
        "--load-model=isnet",
        "--load-model=toy",
    ],
)
def test_the_command_line_holds(launch: Launch, option: str) -> None:
    assert option in launch.command()


def test_the_gpus_cards_are_taken_where_they_are_asked_for(launch: Launch) -> None:
    words = replace(launch, config="gpu").command()
    assert "--model-config-name=gpu" in words
    assert not [word for word in words if word.startswith("--pinned-memory-pool-byte-size")]


def test_the_stubs_share_memory_under_the_engines_own_name(launch: Launch) -> None:
    assert f"--backend-config=python,shm-region-prefix-name={shm_prefix()}" in launch.command()


def test_triton_dies_with_the_engine(launch: Launch) -> None:
    server = str(launch.environment.triton / "bin" / "tritonserver")
    assert launch.command()[:5] == ["setpriv", "--pdeathsig", "KILL", "--", server]


def test_every_path_is_absolute_as_triton_runs_elsewhere(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(launch.folder.parents[1])
    relative = Launch(
        environment=launch.environment,
        folder=Path("data/engine"),
        repository=Path("models"),
        models=(),
        host="127.0.0.1",
        port=1,
        cache=Path("data/compiled"),
        log=Path("data/triton.log"),
    )
    assert f"--model-repository={launch.repository}" in relative.command()
    assert f"--backend-directory={launch.backends}" in relative.command()
    assert relative.variables()["CLEARCANVAS_ENGINE_CACHE"] == str(launch.cache)


def test_the_stub_finds_its_own_python_first_and_no_secret(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARCANVAS_SECRET", "hush")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    variables = launch.variables()
    assert variables["PATH"].startswith(f"{launch.environment.root}/bin:")
    assert variables["LD_LIBRARY_PATH"].split(":")[-1] == str(launch.environment.libraries)
    assert not {"CLEARCANVAS_SECRET", "PYTHONPATH"} & variables.keys()


def test_lays_out_a_backend_directory_of_plain_files(launch: Launch) -> None:
    launch.lay_out()
    ours = launch.backends / "onnxruntime"
    assert {path.name for path in (launch.backends / "python").iterdir()} == {
        STUB,
        "libtriton_python.so",
        "triton_python_backend_utils.py",
    }
    assert (ours / "model.py").exists()
    assert (ours / "engine" / "backend" / "plan.py").exists()
    assert not any(path.is_symlink() for path in launch.backends.rglob("*"))


def test_the_working_directory_is_empty_again_at_each_launch(launch: Launch) -> None:
    launch.lay_out()
    (launch.folder / "cwd" / "model.py").touch()  # It would shadow the backend.
    launch.lay_out()
    assert list((launch.folder / "cwd").iterdir()) == []


def test_an_environment_that_is_not_there_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="engine install"):
        locate(tmp_path / "nowhere")


def test_a_taken_port_is_refused_and_a_free_one_is_not() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EngineError, match=f"127.0.0.1:{port}"):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)

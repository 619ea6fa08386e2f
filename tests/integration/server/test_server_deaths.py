"""The service when what it stands on dies: Triton, its stubs, workers, the fork server, the server itself."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import grpc
import psutil
import pytest
import tritonclient.grpc as triton
from clearcanvas.v1 import images_pb2

from tests.support.load import FAST, SLOW, Load, attempt, until_at_work
from tests.support.processes import SHARED_MEMORY, free_address, module, running, wait_until
from tests.support.server import Answer, Failure, RunningServer, picture, running_server

Request = images_pb2.EditRequest
RECOVERY_S = 10.0

Settings = dict[str, str]


@pytest.mark.case("H13")
@pytest.mark.case("H16")
def test_alive_is_not_ready_and_triton_may_come_late(
    slow_settings: Settings, toy_repository: Path, tmp_path: Path
) -> None:
    address = free_address()
    settings = slow_settings | {
        "CLEARCANVAS_TRITON": address,
        "CLEARCANVAS_DATA": str(tmp_path / "data"),
        "CLEARCANVAS_MODEL_REPOSITORY": str(toy_repository),
    }
    with running_server(address, tmp_path) as server:
        health = server.check()
        assert not health.serving
        assert "clearcanvas-device" not in health.metadata
        seen = attempt(server, FAST)
        assert isinstance(seen, Failure)
        assert (seen.code, seen.reason) == (grpc.StatusCode.UNAVAILABLE, "MODEL_UNAVAILABLE")
        assert seen.retry_s is not None
        with running(module("engine"), settings, tmp_path / "engine.log"):
            wait_until(server.serving, "the server serves once Triton is there", 60)
            assert isinstance(attempt(server, FAST), Answer)
        wait_until(lambda: not server.serving(), "the server notices that Triton left", RECOVERY_S)


def kill_triton(engine: psutil.Process) -> None:
    next(child for child in engine.children() if "tritonserver" in child.name()).kill()


def kill_stubs(engine: psutil.Process) -> None:
    for process in engine.children(recursive=True):
        if "python_backend_stub" in " ".join(process.cmdline()):
            process.kill()


@pytest.mark.case("H13")
@pytest.mark.parametrize("kill", [kill_triton, kill_stubs])
def test_triton_dies_under_load_and_comes_back(
    server: RunningServer, slow_engine: psutil.Process, kill: Callable[[psutil.Process], None]
) -> None:
    with Load(server, callers=2) as load:
        kill(slow_engine)
        wait_until(lambda: bool(load.failures), "a caller notices")
        wait_until(
            lambda: server.serving() and not any(isinstance(o, Failure) for o in load.outcomes[-4:]),
            "it serves again, with nobody's help",
            4 * RECOVERY_S,
        )
    assert {seen.code for seen in load.failures} == {grpc.StatusCode.UNAVAILABLE}
    assert {seen.reason for seen in load.failures} == {"MODEL_UNAVAILABLE"}


@pytest.mark.case("M10")
def test_workers_die_under_load_and_come_back(server: RunningServer) -> None:
    with Load(server, callers=3, request=Request(image=picture(1632, 1224))) as load:
        before = server.workers()
        for worker in before:
            worker.kill()
        done = len(load.outcomes)
        wait_until(lambda: len(load.outcomes) >= done + 8, "calls go on", 60)
        wait_until(lambda: len(server.workers()) == len(before), "every worker is back", RECOVERY_S)
    assert {(seen.code, seen.reason) for seen in load.failures} <= {(grpc.StatusCode.UNAVAILABLE, "WORKER_LOST")}
    assert isinstance(attempt(server, FAST), Answer)


def test_a_killed_server_takes_its_workers_along_and_its_memory_is_swept(
    slow_engine: psutil.Process, slow_settings: Settings, tmp_path: Path
) -> None:
    assert slow_engine.is_running()
    (tmp_path / "second").mkdir()
    address = slow_settings["CLEARCANVAS_TRITON"]
    with running_server(address, tmp_path) as server:
        children = server.process.children(recursive=True)
        assert len(server.workers()) == 2
        call = server.images.Edit(SLOW, timeout=60)
        until_at_work(server)
        server.process.kill()
        with pytest.raises(grpc.RpcError):
            next(call)
        assert psutil.wait_procs(children, RECOVERY_S)[1] == []
        assert server.files()
        with running_server(address, tmp_path / "second"):
            assert not list(SHARED_MEMORY.glob(f"clearcanvas-{server.process.pid}-*"))


def test_triton_holds_no_memory_of_dead_workers(server: RunningServer, slow_settings: Settings) -> None:
    prefix = f"clearcanvas-{server.process.pid}-"
    with triton.InferenceServerClient(slow_settings["CLEARCANVAS_TRITON"]) as client:

        def regions() -> set[str]:
            return {name for name in client.get_system_shared_memory_status().regions if name.startswith(prefix)}

        server.edit(FAST)
        assert len(regions()) == 2
        for worker in server.workers():
            os.kill(worker.pid, signal.SIGKILL)
        wait_until(lambda: not regions(), "the dead workers' regions are gone", RECOVERY_S)
        server.edit(FAST)
        assert len(regions()) == 2


def test_a_dead_fork_server_is_replaced(server: RunningServer) -> None:
    with Load(server, callers=2) as load:
        (fork_server,) = [child for child in server.process.children() if child.children()]
        fork_server.kill()
        done = len(load.outcomes)
        wait_until(lambda: len(load.outcomes) >= done + 8, "calls go on", 60)
        wait_until(
            lambda: not any(isinstance(outcome, Failure) for outcome in load.outcomes[-4:]), "all is well again", 60
        )
    assert {seen.reason for seen in load.failures} <= {"WORKER_LOST"}


def test_an_address_in_use_is_a_plain_error(server: RunningServer) -> None:
    second = subprocess.run(
        module("server"),
        env=os.environ | {"CLEARCANVAS_GRPC": server.address},
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert f"cannot listen on {server.address}" in second.stderr.decode()
    assert b"Traceback" not in second.stderr
    assert isinstance(attempt(server, FAST), Answer)

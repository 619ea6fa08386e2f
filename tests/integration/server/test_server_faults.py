"""The service under deadlines, cancellation, overload, and the death of everything around it."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import psutil
import pytest
import tritonclient.grpc as triton
from clearcanvas.v1 import images_pb2

from tests.support.processes import SHARED_MEMORY, free_address, module, running, tail, wait_until
from tests.support.raw_http2 import HEADERS, RST_STREAM, stalled_call
from tests.support.server import Answer, Failure, RunningServer, encoded, failure, picture, running_server
from tests.support.slow_model import write_slow_model
from tests.support.toy_model import write_toy_model

Request = images_pb2.EditRequest
FAST = Request(image=picture())
SLOW = Request(image=picture(), model="slow")
RECOVERY_S = 10.0

Settings = dict[str, str]


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def slow_engine(slow_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[psutil.Process]:
    with running(module("engine"), slow_settings, tmp_path_factory.mktemp("log") / "engine.log") as process:
        yield psutil.Process(process.pid)


@pytest.fixture
def server(slow_engine: psutil.Process, slow_settings: Settings, tmp_path: Path) -> Iterator[RunningServer]:
    assert slow_engine.is_running()
    with running_server(slow_settings["CLEARCANVAS_TRITON"], tmp_path) as server:
        wait_until(server.serving, f"the server serves\n{tail(server.log)}")
        yield server


def attempt(server: RunningServer, request: images_pb2.EditRequest) -> Answer | Failure:
    try:
        return server.edit(request)
    except grpc.RpcError as error:
        return failure(error)


class Load:
    """Several callers, one request after the other each, until the end of the block."""

    def __init__(self, server: RunningServer, callers: int, request: images_pb2.EditRequest = FAST) -> None:
        self._server, self._request = server, request
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(callers)
        self._callers = callers
        self.outcomes: list[Answer | Failure] = []

    def __enter__(self) -> "Load":
        for _ in range(self._callers):
            self._pool.submit(self._call)
        wait_until(lambda: len(self.outcomes) >= self._callers, "the load runs")
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown()

    def _call(self) -> None:
        while not self._stop.is_set():
            self.outcomes.append(attempt(self._server, self._request))

    @property
    def failures(self) -> list[Failure]:
        return [outcome for outcome in self.outcomes if isinstance(outcome, Failure)]


def until_at_work(server: RunningServer, requests: int = 1) -> None:
    wait_until(lambda: len(server.files()) >= requests, "the request has begun")


@pytest.mark.case("H12")
def test_a_deadline_frees_the_worker(server: RunningServer) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.edit(SLOW, timeout_s=0.3)
    assert failure(caught.value).code is grpc.StatusCode.DEADLINE_EXCEEDED
    server.wait_until_idle()
    assert server.edit(FAST).header.model == "toy"


@pytest.mark.case("H12")
def test_the_server_has_a_deadline_of_its_own(
    slow_engine: psutil.Process, slow_settings: Settings, tmp_path: Path
) -> None:
    assert slow_engine.is_running()
    with running_server(slow_settings["CLEARCANVAS_TRITON"], tmp_path, timeout_s=0.3) as server:
        with pytest.raises(grpc.RpcError) as caught:
            server.edit(SLOW)
        seen = failure(caught.value)
        assert (seen.code, seen.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
        server.wait_until_idle()


@pytest.mark.case("H11")
def test_a_caller_that_goes_away_frees_its_worker(server: RunningServer) -> None:
    before = {worker.pid for worker in server.workers()}
    calls = [server.images.Edit(SLOW, timeout=60) for _ in before]
    until_at_work(server, len(calls))
    for call in calls:
        call.cancel()
    server.wait_until_idle()
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in before), "the old workers are gone", RECOVERY_S)
    assert server.edit(FAST).header.model == "toy"


@pytest.mark.case("H10")
def test_the_surplus_is_refused_and_the_rest_served(
    slow_engine: psutil.Process, slow_settings: Settings, tmp_path: Path
) -> None:
    assert slow_engine.is_running()
    with running_server(slow_settings["CLEARCANVAS_TRITON"], tmp_path, memory_budget_mib=150) as server:
        with ThreadPoolExecutor(12) as callers:
            outcomes = list(callers.map(lambda _: attempt(server, SLOW), range(12)))
        refused = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        assert 0 < len(refused) < 12
        for seen in refused:
            assert (seen.code, seen.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
            assert seen.retry_s == 1.0
            assert seen.trailing["grpc-retry-pushback-ms"] == "1000"
        server.wait_until_idle()
        assert isinstance(attempt(server, FAST), Answer)


@pytest.mark.case("H10")
def test_sixteen_pictures_of_two_megapixels_are_admitted(server: RunningServer) -> None:
    request = Request(image=picture(1632, 1224))
    with ThreadPoolExecutor(16) as callers:
        outcomes = list(callers.map(lambda _: attempt(server, request), range(16)))
    assert [outcome for outcome in outcomes if isinstance(outcome, Failure)] == []


@pytest.mark.case("H15")
def test_sigterm_finishes_what_is_in_flight(
    slow_engine: psutil.Process, slow_settings: Settings, tmp_path: Path
) -> None:
    assert slow_engine.is_running()
    with running_server(slow_settings["CLEARCANVAS_TRITON"], tmp_path, drain_s=60) as server:
        wait_until(server.serving, "the server serves")
        family = [server.process, *server.process.children(recursive=True)]
        with ThreadPoolExecutor(2) as callers:
            in_flight = [callers.submit(attempt, server, SLOW) for _ in range(2)]
            until_at_work(server, 2)
            server.process.terminate()
            wait_until(lambda: not server.serving(), "it says NOT_SERVING")
            late = attempt(server, FAST)
            assert isinstance(late, Failure)
            assert (late.code, late.reason) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
            assert late.retry_s is not None
            assert all(isinstance(call.result(), Answer) for call in in_flight)
        gone, alive = psutil.wait_procs(family, RECOVERY_S)
        assert alive == []
        assert len(gone) == len(family)
        assert not list(SHARED_MEMORY.glob(f"clearcanvas-{server.process.pid}-*"))


@pytest.mark.case("H15")
def test_what_does_not_finish_is_cut_off(slow_engine: psutil.Process, slow_settings: Settings, tmp_path: Path) -> None:
    assert slow_engine.is_running()
    with running_server(slow_settings["CLEARCANVAS_TRITON"], tmp_path, drain_s=0.1) as server:
        wait_until(server.serving, "the server serves")
        family = [server.process, *server.process.children(recursive=True)]
        with ThreadPoolExecutor(1) as callers:
            call = callers.submit(attempt, server, SLOW)
            until_at_work(server)
            server.process.terminate()
            outcome = call.result()
        assert isinstance(outcome, Failure)
        assert outcome.code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        assert psutil.wait_procs(family, RECOVERY_S)[1] == []
        assert not list(SHARED_MEMORY.glob(f"clearcanvas-{server.process.pid}-*"))


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


def test_the_wrong_device_is_loud(slow_engine: psutil.Process, slow_settings: Settings, tmp_path: Path) -> None:
    assert slow_engine.is_running()
    with running_server(slow_settings["CLEARCANVAS_TRITON"], tmp_path, require_device="gpu") as server:
        wait_until(lambda: "clearcanvas-device" in server.check().metadata, "the device is known")
        assert not server.serving()
        assert "ERROR server.triton.monitor [-] model toy runs on cpu" in server.log.read_text()


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


@pytest.mark.case("H18")
def test_a_caller_that_does_not_read_is_cut_off(
    slow_engine: psutil.Process, slow_settings: Settings, tmp_path: Path
) -> None:
    assert slow_engine.is_running()
    noise = np.random.default_rng(7).integers(100, 255, (2400, 2400, 3), np.uint8)
    request = Request(image=encoded(noise, "PNG"))
    with running_server(slow_settings["CLEARCANVAS_TRITON"], tmp_path, timeout_s=8) as server:
        call = server.images.Edit(request)  # no deadline, and nobody reads
        wait_until(lambda: "-out" in "".join(file.name for file in server.files()), "the result is there")
        assert isinstance(attempt(server, FAST), Answer)
        wait_until(lambda: not server.files(), "its files are gone", 20)
        wait_until(lambda: "DEADLINE_EXCEEDED" in server.log.read_text(), "the call is over", RECOVERY_S)
        with pytest.raises(grpc.RpcError) as caught:
            list(call)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.case("H18")
def test_a_caller_that_never_ends_its_message_is_cut_off(
    slow_engine: psutil.Process, slow_settings: Settings, tmp_path: Path
) -> None:
    assert slow_engine.is_running()
    path = "/clearcanvas.v1.ImageService/Edit"
    with (
        running_server(slow_settings["CLEARCANVAS_TRITON"], tmp_path, receive_s=1) as server,
        stalled_call(server.address, path, claimed_bytes=20_000_000, sent_bytes=10_000) as call,
    ):
        assert isinstance(attempt(server, FAST), Answer)
        assert call.wait_for_its_end() in {HEADERS, RST_STREAM}
        assert isinstance(attempt(server, FAST), Answer)


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

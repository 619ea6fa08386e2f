"""The service under deadlines, cancellation, overload, stalled callers, and SIGTERM."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import psutil
import pytest
from clearcanvas.v1 import images_pb2

from tests.support.load import FAST, SLOW, attempt, until_at_work
from tests.support.processes import SHARED_MEMORY, wait_until
from tests.support.raw_http2 import HEADERS, RST_STREAM, stalled_call
from tests.support.server import Answer, Failure, RunningServer, encoded, failure, picture, running_server

Request = images_pb2.EditRequest
RECOVERY_S = 10.0

Settings = dict[str, str]


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
        with ThreadPoolExecutor(6) as callers:
            calls = [callers.submit(attempt, server, SLOW) for _ in range(6)]
            until_at_work(server)
            server.process.terminate()
            outcomes = [call.result() for call in calls]
        # They take turns at the model: whoever had its turn may still have been served.
        failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        assert failures
        assert {failure.code for failure in failures} <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        assert psutil.wait_procs(family, RECOVERY_S)[1] == []
        assert not list(SHARED_MEMORY.glob(f"clearcanvas-{server.process.pid}-*"))


def test_the_wrong_device_is_loud(slow_engine: psutil.Process, slow_settings: Settings, tmp_path: Path) -> None:
    assert slow_engine.is_running()
    with running_server(slow_settings["CLEARCANVAS_TRITON"], tmp_path, require_device="gpu") as server:
        wait_until(lambda: "clearcanvas-device" in server.check().metadata, "the device is known")
        assert not server.serving()
        assert "ERROR server.triton.monitor [-] model toy runs on cpu" in server.log.read_text()


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

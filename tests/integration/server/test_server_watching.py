"""What a server tells while it works: a trace down to Triton, figures, and a log in which a request can be found."""

import json
import urllib.request
from collections.abc import Iterator

import grpc
import pytest
from clearcanvas.v1 import images_pb2

from tests.support.collector import RunningCollector
from tests.support.fake_triton import FakeTriton, running_fake
from tests.support.processes import wait_until
from tests.support.server import RunningServer, picture, running_server

TRACE = "0af7651916cd43dd8448eb211c80319c"
NOT_FOUND = 'clearcanvas_server_calls_total{method="Edit",outcome="MODEL_NOT_FOUND"}'
INVALID = 'clearcanvas_server_calls_total{method="Edit",outcome="INVALID_PARAMETER"}'
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def fake() -> FakeTriton:
    return FakeTriton()


@pytest.fixture(scope="module")
def server(
    fake: FakeTriton, collector: RunningCollector, metrics: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("watched")
    with (
        running_fake(fake) as triton,
        running_server(triton, folder, model="fake", traces=collector.endpoint, log="json", metrics=metrics) as server,
    ):
        wait_until(server.serving, "the server serves")
        yield server


def read(metrics: str) -> dict[str, float]:
    """Each sample by its name with its labels."""
    with urllib.request.urlopen(f"http://{metrics}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return {key: float(value) for key, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def edit(server: RunningServer, model: str = "", *, trace: str = "", request_id: str = "") -> None:
    request = images_pb2.EditRequest(image=picture(64, 48), model=model)
    server.edit(request, traceparent=trace, x_request_id=request_id)


@pytest.mark.case("O3")
def test_one_trace_down_to_triton(server: RunningServer, fake: FakeTriton, collector: RunningCollector) -> None:
    fake.carried.clear()
    edit(server, trace=CALLER, request_id="find-me")

    def of_the_call() -> dict[str, str]:
        return {span.name: span.span_id.hex() for span in collector.spans() if span.trace_id.hex() == TRACE}

    wait_until(lambda: "Edit" in of_the_call(), "the spans arrive")
    assert {"decode", "encode"} < of_the_call().keys()
    place = f"00-{TRACE}-{of_the_call()['Edit']}-01"
    assert fake.carried[-1] == (place, place)


def test_a_request_is_found_in_the_log_with_its_trace(server: RunningServer) -> None:
    edit(server, trace=CALLER, request_id="find:me.2")

    def lines() -> list[dict[str, str]]:
        records = map(json.loads, server.log.read_text().splitlines())
        return [record for record in records if record["request_id"] == "find:me.2"]

    wait_until(lambda: any(line["message"].startswith("Edit ok") for line in lines()), "the call is logged")
    assert {line["trace_id"] for line in lines()} == {TRACE}


@pytest.mark.case("O2")
@pytest.mark.case("O4")
def test_no_caller_makes_the_metrics_many_or_the_log_another(server: RunningServer, metrics: str) -> None:
    edit(server)
    names = ("nobody-{}", "nobody-{}\n2026-11-22 forged")
    for name in names:
        with pytest.raises(grpc.RpcError):
            edit(server, name.format("first"))
    wait_until(lambda: {NOT_FOUND, INVALID} <= read(metrics).keys(), "the failures are counted")
    before = read(metrics).keys()
    for number in range(40):
        for name in names:
            with pytest.raises(grpc.RpcError):
                edit(server, name.format(number))
        edit(server, request_id=f"request-{number}", trace="nonsense")

    assert read(metrics).keys() == before
    records = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert all({"time", "level", "message"} <= record.keys() for record in records)


def test_figures_follow_the_work(server: RunningServer, fake: FakeTriton, metrics: str) -> None:
    before = read(metrics)
    edit(server)
    with pytest.raises(grpc.RpcError):
        edit(server, "nobody")
    wait_until(lambda: read(metrics).get(NOT_FOUND, 0.0) > before.get(NOT_FOUND, 0.0), "the failure is counted")
    after = read(metrics)

    def risen(name: str) -> float:
        return after.get(name, 0.0) - before.get(name, 0.0)

    assert risen('clearcanvas_server_calls_total{method="Edit",outcome="ok"}') == 1
    assert risen('clearcanvas_server_stage_seconds_count{stage="decode"}') == 1
    assert after['clearcanvas_server_workers{pool="calls"}'] == 2
    assert after["clearcanvas_server_memory_bytes"] == after["clearcanvas_server_in_flight"] == 0
    assert after["clearcanvas_server_memory_budget_bytes"] == 1024**3
    assert [value for key, value in after.items() if key.startswith("clearcanvas_server_triton_up")] == [1]


def test_the_death_of_a_worker_is_counted(server: RunningServer, metrics: str) -> None:
    name = 'clearcanvas_server_worker_deaths_total{cause="idle"}'
    before = read(metrics).get(name, 0.0)
    for worker in server.workers():
        worker.kill()
    for _ in range(2):
        edit(server)

    assert read(metrics)[name] > before


@pytest.mark.case("O7")
def test_the_calls_port_shows_no_metrics_and_the_other_nothing_else(server: RunningServer, metrics: str) -> None:
    listening = {
        f"{connection.laddr.ip.removeprefix('::ffff:')}:{connection.laddr.port}"
        for connection in server.process.net_connections("inet")
        if connection.status == "LISTEN"
    }
    assert listening == {server.address, metrics}
    assert all(key.startswith(("clearcanvas_server_", "process_")) for key in read(metrics))


@pytest.mark.case("O5")
def test_a_collector_that_goes_away_is_missed_by_nobody(server: RunningServer, collector: RunningCollector) -> None:
    collector.stop()
    for _ in range(5):
        edit(server, trace=CALLER)
    # The server also stops within its time: `running_server` sees to that.

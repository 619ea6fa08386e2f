"""Traces are for who wants them: off they cost nothing, on they are one tree; a collector away stops nobody."""

import subprocess
import sys

import pytest

from telemetry.request import traceparent
from telemetry.traces import Kind, record_stages, span, tracing
from tests.support.collector import running_collector
from tests.support.processes import free_address

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_without_traces_a_span_is_a_block_and_nothing_is_carried() -> None:
    with tracing("test", ""), span("edit", parent=CALLER, pictures=1) as noted:
        noted.set("clearcanvas.outcome", "ok")
        assert traceparent.get() == ""
    record_stages((("decode", 0.1),), 10**18)


# The client of Redis, which the adapter has, looks for a part of it by itself.
@pytest.mark.parametrize(("program", "parts"), [("server", "opentelemetry"), ("adapter", "opentelemetry.exporter")])
def test_no_program_loads_opentelemetry_unless_it_is_to_trace(program: str, parts: str) -> None:
    code = f"import sys, {program}.__main__; print([name for name in sys.modules if name.startswith('{parts}')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.case("O3")
def test_spans_are_one_tree_below_the_caller() -> None:
    with running_collector() as collector:
        with (
            tracing("test", collector.endpoint),
            span("POST /v1/remove-background", kind=Kind.SERVER, parent=CALLER),
            span("settle"),
        ):
            carried = traceparent.get()
            record_stages((("decode", 0.25), ("matte", 0.5)), 10**18)
        spans = {each.name: each for each in collector.spans()}

    top, settle = spans["POST /v1/remove-background"], spans["settle"]
    assert {each.trace_id.hex() for each in spans.values()} == {CALLER[3:35]}
    assert top.parent_span_id.hex() == CALLER[36:52]
    assert settle.parent_span_id == top.span_id
    assert carried == f"00-{CALLER[3:35]}-{settle.span_id.hex()}-01"
    assert {spans[name].parent_span_id for name in ("decode", "matte")} == {settle.span_id}
    assert spans["decode"].end_time_unix_nano == spans["matte"].start_time_unix_nano
    assert spans["matte"].end_time_unix_nano == 10**18
    assert traceparent.get() == ""


@pytest.mark.case("O1")
def test_an_error_is_named_and_not_quoted() -> None:
    with running_collector() as collector:
        with tracing("test", collector.endpoint), pytest.raises(ValueError, match="canary"), span("edit"):
            raise ValueError("canary-4711")
        (only,) = collector.spans()

    assert only.status.message == "ValueError"
    assert "canary" not in str(only)


@pytest.mark.parametrize("sent", ["", "nonsense", "00-zz", "\n", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_what_is_no_place_in_a_trace_begins_a_new_one(sent: str) -> None:
    with running_collector() as collector:
        with tracing("test", collector.endpoint), span("edit", parent=sent):
            pass
        (only,) = collector.spans()

    assert not only.parent_span_id


@pytest.mark.case("O5")
def test_a_collector_that_is_away_stops_nobody() -> None:
    with tracing("test", f"http://{free_address()}"):
        for _ in range(5000):  # More than are kept.
            with span("edit"):
                pass

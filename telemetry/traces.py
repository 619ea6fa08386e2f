"""Traces, where they are switched on. Who calls `span` need not know whether they are.

A span's place in its trace travels as a word (`telemetry.request.traceparent`): down through the code, and by whoever
calls another program, with the call.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from telemetry.errors import TelemetryError
from telemetry.request import traceparent

HEADER = "traceparent"

Value = str | int | float | bool


class Kind(StrEnum):
    """Which side of a call a span is."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"


class Span(Protocol):
    """A span under way."""

    @property
    def traceparent(self) -> str:
        """Its place, for those it calls."""
        ...

    def set(self, name: str, value: Value) -> None:
        """Note a fact. Never one that a caller sent as free text: traces are kept elsewhere, and by others."""
        ...

    def end(self, error: str = "", at_ns: int | None = None) -> None:
        """End it; `error`: in a word, what went wrong."""
        ...


class Spans(Protocol):
    """Where spans are made, and sent from."""

    def begin(self, name: str, parent: str, kind: Kind, facts: Mapping[str, Value], at_ns: int | None = None) -> Span:
        """Begin a span below the one at `parent`, or a trace where that is empty or nothing."""
        ...

    def close(self) -> None:
        """Send what is left, within two seconds."""
        ...


@dataclass
class _Switch:
    spans: Spans | None = None


_switch = _Switch()


@contextmanager
def tracing(program: str, endpoint: str) -> Iterator[None]:
    """Send this process's spans to an OpenTelemetry collector (gRPC, http://HOST:4317); an empty endpoint: none.

    Raises TelemetryError where that is wanted and OpenTelemetry is not installed.
    """
    if not endpoint:
        yield
        return
    try:
        from telemetry.collector import CollectedSpans  # noqa: PLC0415 - 20 MB that only who wants traces loads.
    except ImportError:
        raise TelemetryError("traces need OpenTelemetry: pip install 'clearcanvas[tracing]'") from None
    _switch.spans = CollectedSpans(program, endpoint)
    try:
        yield
    finally:
        spans, _switch.spans = _switch.spans, None
        spans.close()


class NoSpan:
    """What `span` yields where there are no traces."""

    traceparent = ""

    def set(self, name: str, value: Value) -> None:
        """Nothing."""

    def end(self, error: str = "", at_ns: int | None = None) -> None:
        """Nothing."""


@contextmanager
def span(name: str, *, kind: Kind = Kind.INTERNAL, parent: str | None = None, **facts: Value) -> Iterator[Span]:
    """A span around the block; what the block calls is below it. `parent`: as it came from outside."""
    if _switch.spans is None:
        yield NoSpan()
        return
    begun = _switch.spans.begin(name, traceparent.get() if parent is None else parent, kind, facts)
    before = traceparent.set(begun.traceparent)
    try:
        yield begun
    except BaseException as error:
        begun.end(type(error).__name__)  # Not its text, which may quote what was sent.
        raise
    else:
        begun.end()
    finally:
        traceparent.reset(before)


def record_stages(stages: Sequence[tuple[str, float]], end_ns: int) -> None:
    """Spans for stages (name, seconds) that another process went through one after the other, the last until now."""
    if _switch.spans is None:
        return
    start_ns = end_ns - sum(int(seconds * 1e9) for _, seconds in stages)
    for name, seconds in stages:
        stage = _switch.spans.begin(name, traceparent.get(), Kind.INTERNAL, {}, start_ns)
        start_ns += int(seconds * 1e9)
        stage.end(at_ns=start_ns)

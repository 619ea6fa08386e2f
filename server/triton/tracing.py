"""What an inference carries of the trace that it belongs to."""

from telemetry.request import traceparent
from telemetry.traces import HEADER


def trace_words() -> dict[str, dict[str, str]]:
    """Arguments of a client's `infer`; none outside of a trace.

    Triton's own traces go by the header, where they are switched on (`--trace-config mode=opentelemetry`); a Python
    model sees the parameter.
    """
    place = traceparent.get()
    return {"headers": {HEADER: place}, "parameters": {HEADER: place}} if place else {}

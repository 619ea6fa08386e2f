"""Which request the running code works for: its id and its place in a trace, as words that cross processes."""

import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

NONE = "-"

# A caller's id that is taken over: bounded, and fit to stand in a log line and in the metadata of a call as it is.
SOUND_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

request_id: ContextVar[str] = ContextVar("request_id", default=NONE)

# As W3C Trace Context writes it; empty outside of a trace, and where traces are off.
traceparent: ContextVar[str] = ContextVar("traceparent", default="")


@dataclass(frozen=True)
class Origin:
    """What another process is told of a request that it works for."""

    request_id: str
    traceparent: str


def origin() -> Origin:
    """Of the request that the running code works for."""
    return Origin(request_id.get(), traceparent.get())


def carry(told: Origin, function: Callable[[*Ts], T], *args: *Ts) -> T:
    """Run `function(*args)` for the request that `told` is of. For a process that does one thing at a time."""
    request_id.set(told.request_id)
    traceparent.set(told.traceparent)
    return function(*args)

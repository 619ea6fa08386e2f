"""A job's news as server-sent events (HTML Standard, 9.2)."""

import json
from collections.abc import Mapping

CONTENT_TYPE = "text/event-stream"

LAST_ID = "Last-Event-ID"
END = "end"
"""The id of the last event: a browser that comes back with it is told to stay away."""

OPENING = b"retry: 1000\n\n"
HEARTBEAT = b": alive\n\n"
"""A comment: it keeps proxies from cutting a connection on which nothing happens."""


def write_event(words: Mapping[str, object], *, last: bool) -> bytes:
    """One event: the job as JSON; its name is the job's status."""
    head = f"id: {END}\n" if last else ""
    # JSON has no line ends of its own, and none of what stands in it can begin a line.
    return f"{head}event: {words['status']}\ndata: {json.dumps(words)}\n\n".encode()

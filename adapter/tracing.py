"""What every call to the image service carries beside its message: the request's id and its place in a trace."""

from telemetry.request import traceparent
from telemetry.traces import HEADER


def call_metadata(request_id: str) -> tuple[tuple[str, str], ...]:
    """The metadata of a call that is made for the request `request_id`."""
    place = traceparent.get()
    return (("x-request-id", request_id), *(((HEADER, place),) if place else ()))

"""One id for each request, from the caller where it is sound: in the logs, on the response, and down to the service."""

import uuid

from aiohttp import web

from telemetry.request import SOUND_ID

HEADER = "X-Request-ID"
_KEY = web.RequestKey("request_id", str)


def request_id_of(request: web.BaseRequest) -> str:
    """The id of `request`; chosen at the first call."""
    if _KEY not in request:
        sent = request.headers.get(HEADER, "")
        request[_KEY] = sent if SOUND_ID.fullmatch(sent) else uuid.uuid4().hex
    return request[_KEY]

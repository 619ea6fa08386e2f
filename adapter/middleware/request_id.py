"""One id for each request, from the caller where it is sound: in the logs, on the response, and down to the service."""

import re
import uuid

from aiohttp import web

HEADER = "X-Request-ID"
_KEY = web.RequestKey("request_id", str)

# Bounded and without spaces or control characters, so that it can stand in a log line as it is.
_SOUND = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def request_id_of(request: web.BaseRequest) -> str:
    """The id of `request`; chosen at the first call."""
    if _KEY not in request:
        sent = request.headers.get(HEADER, "")
        request[_KEY] = sent if _SOUND.fullmatch(sent) else uuid.uuid4().hex
    return request[_KEY]

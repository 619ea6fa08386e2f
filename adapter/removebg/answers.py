"""Results as remove.bg's API gives them: its headers, and the picture as it is or in JSON as base64."""

import base64
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from aiohttp import web
from clearcanvas.v1.images_pb2 import EditHeader

from adapter.accept import parse_accept
from adapter.editing import Body
from adapter.errors import NoForegroundError
from adapter.middleware.shapes import REMOVEBG_PREFIX
from adapter.middleware.standing import standing_of
from adapter.removebg.archive import archive

_JSON: Final = "application/json"


def prefers_json(accept: str) -> bool:
    """Whether the caller asks for JSON and not for the picture.

    Clients that accept everything get the picture, also where they name JSON first, as those of axios do.
    """
    ranges = parse_accept(accept)
    pictures = (quality for name, quality in ranges.items() if name == "*/*" or name.startswith("image/"))
    return ranges.get(_JSON, 0.0) > max(pictures, default=0.0)


def wrap_result(
    header: EditHeader,
    chunks: AsyncIterator[bytes],
    *,
    type_named: str,
    charged: int,
    as_json: bool,
    alpha: bytes | None = None,
) -> Body:
    """What is sent of a result; `alpha` goes with it where both are one archive.

    Raises:
        NoForegroundError: There is no subject in the picture.
    """
    if not header.foreground.width:
        raise NoForegroundError
    headers = {"X-Credits-Charged": str(charged)} | ({"X-Type": type_named} if type_named else {})
    body = Body(header.content_type, header.size, chunks, headers)
    if alpha is not None:
        body = archive(body, alpha)
    return _encode(header, body) if as_json else body


def _encode(header: EditHeader, body: Body) -> Body:
    box = header.foreground
    facts = {
        "foreground_top": box.top,
        "foreground_left": box.left,
        "foreground_width": box.width,
        "foreground_height": box.height,
    }
    start, end = b'{"data":{"result_b64":"', b'",' + json.dumps(facts)[1:].encode() + b"}"
    size = len(start) + (body.size + 2) // 3 * 4 + len(end)

    async def encode() -> AsyncIterator[bytes]:
        yield start
        left = b""
        async for received in body.chunks:
            chunk = left + received
            whole = len(chunk) // 3 * 3
            left = chunk[whole:]
            yield base64.b64encode(chunk[:whole])
        yield base64.b64encode(left) + end

    return replace(body, content_type=_JSON, size=size, chunks=encode())


async def set_limits(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Says how the caller stands with the limit, by this API's headers; the reset is a Unix time."""
    standing = standing_of(request)
    if standing is not None and request.path.startswith(REMOVEBG_PREFIX):
        response.headers["X-RateLimit-Limit"] = str(standing.limit)
        response.headers["X-RateLimit-Remaining"] = str(standing.remaining)
        response.headers["X-RateLimit-Reset"] = str(int(time.time()) + standing.reset_s)

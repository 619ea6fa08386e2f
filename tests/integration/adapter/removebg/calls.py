"""Calls to remove.bg's API, as JSON."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from clearcanvas.v1.images_pb2 import EditHeader, EditRequest, EditResponse

from tests.integration.adapter.fake_service import Context
from tests.integration.adapter.fetching.web import PICTURE

PATH = "/v1.0/removebg"
ENCODED = base64.b64encode(PICTURE).decode()


async def post(http: aiohttp.ClientSession, headers: dict[str, str] | None = None, **fields: Any) -> tuple[Any, bytes]:
    """A JSON request with a picture, unless `fields` bring another source."""
    if not fields.keys() & {"image_url", "image_file_b64"}:
        fields["image_file_b64"] = ENCODED
    async with http.post(PATH, json=fields, headers=headers) as response:
        return response, await response.read()


async def refusal(http: aiohttp.ClientSession, **fields: Any) -> tuple[int, list[dict[str, str]]]:
    response, body = await post(http, **fields)
    assert response.content_type == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    return response.status, json.loads(body)["errors"]


async def empty(request: EditRequest, _: Context) -> AsyncIterator[EditResponse]:
    """A result in which no subject was found."""
    yield EditResponse(header=EditHeader(content_type="image/png", size=len(request.image), width=640, height=480))
    yield EditResponse(chunk=request.image)

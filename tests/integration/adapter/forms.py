"""Posting a form as a browser does."""

import aiohttp

MATTE = "/image/matte/v1"
COLOR = "/image/color/v1"


async def post(
    http: aiohttp.ClientSession,
    path: str,
    fields: dict[str, str] | None = None,
    *,
    image: bytes | None = b"picture",
    headers: dict[str, str] | None = None,
) -> tuple[aiohttp.ClientResponse, bytes]:
    data = aiohttp.FormData(fields or {}, default_to_multipart=True)
    if image is not None:
        data.add_field("image", image, filename="a.png", content_type="image/png")
    async with http.post(path, data=data, headers=headers) as response:
        return response, await response.read()

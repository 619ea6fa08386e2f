"""Cloudinary's upload API as its documentation describes it, small: the official SDK is asked to talk to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import cloudinary.utils
from aiohttp import BodyPartReader, web

KEY, SECRET, CLOUD = "thekey", "the-cloud-secret", "canvas"


@dataclass
class FakeCloudinary:
    """Assets by kind and name. `status` other than 200 is answered to all; nothing is, while it is not `free`."""

    address: str = ""
    status: int = 200
    free: asyncio.Event = field(default_factory=asyncio.Event)
    calls: int = 0
    assets: dict[tuple[str, str], bytes] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """What an operator sets as CLOUDINARY_URL."""
        return f"cloudinary://{KEY}:{SECRET}@{CLOUD}?upload_prefix=http://{self.address}"

    async def answer(self, request: web.Request) -> web.Response:
        """One call: `upload`, in parts where it is large, or `destroy`."""
        self.calls += 1
        fields = await _read(request)
        await self.free.wait()
        if self.status != 200:
            return web.json_response({"error": {"message": f"String to sign: {fields}"}}, status=self.status)
        if not _is_signed(fields):
            return web.json_response({"error": {"message": "Invalid Signature"}}, status=401)
        kind, name = request.match_info["kind"], str(fields["public_id"])
        if request.match_info["action"] == "destroy":
            found = self.assets.pop((kind, name), None)
            return web.json_response({"result": "not found" if found is None else "ok"})
        content = fields["file"]
        assert isinstance(content, bytes)
        start = int(request.headers["Content-Range"].removeprefix("bytes ").partition("-")[0])
        self.assets[kind, name] = self.assets.get((kind, name), b"")[:start] + content
        link = f"https://res.cloudinary.com/{CLOUD}/{kind}/upload/v1/{name}"
        return web.json_response({"public_id": name, "secure_url": link})


@asynccontextmanager
async def running_cloudinary() -> AsyncIterator[FakeCloudinary]:
    """Serve on loopback until the end of the block."""
    fake = FakeCloudinary()
    fake.free.set()
    app = web.Application(client_max_size=2**30)
    app.router.add_post(f"/v1_1/{CLOUD}/{{kind}}/{{action}}", fake.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.address = "{}:{}".format(*runner.addresses[0][:2])
    try:
        yield fake
    finally:
        fake.free.set()
        await runner.cleanup()


async def _read(request: web.Request) -> dict[str, str | bytes]:
    fields: dict[str, str | bytes] = {}
    if not request.content_type.startswith("multipart/"):
        return {name: str(value) for name, value in (await request.post()).items()}
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        assert part.name
        fields[part.name] = bytes(await part.read()) if part.name == "file" else await part.text()
    return fields


def _is_signed(fields: dict[str, str | bytes]) -> bool:
    signed = {name: value for name, value in fields.items() if name not in {"file", "signature", "api_key"}}
    expected = cloudinary.utils.api_sign_request(signed, SECRET)
    return fields["api_key"] == KEY and fields["signature"] == expected

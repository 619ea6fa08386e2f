"""The examples of the OpenAPI document are answers of the whole stack: what it answers now is what they show.

After a change of an answer: run this with CLEARCANVAS_RECORD=1, and look at what has changed in `examples.json`.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

import adapter.discovery.examples
from adapter.discovery.examples import BASE_URL
from tests.support.paid_pictures import make_paid_photo
from tests.support.paid_stack import RunningAdapter

FILE = Path(adapter.discovery.examples.__file__).with_suffix(".json")
STRANGER = "550e8400-e29b-41d4-a716-446655440000"
PICTURE = object()
# What no two runs have in common.
CHANGING = {"uuid", "request_id", "payTo", "device", "Server-Timing"}
CHANGING |= {f"X-Foreground-{side}" for side in ("Top", "Left", "Width", "Height")}  # By a pixel, between machines.


@dataclass(frozen=True)
class Ask:
    """One request, and the status that it is answered with."""

    name: str
    status: int
    path: str
    form: dict[str, object] = field(default_factory=dict)
    """Fields; none is a GET, or a request without a body."""
    method: str = "POST"
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


ASKED = (
    Ask("remove-background", 402, "/v1/remove-background"),
    Ask("remove-background", 400, "/v1/remove-background", body=b"no picture", headers={"Content-Type": "image/png"}),
    Ask("remove-background", 415, "/v1/remove-background", body=b"{}", headers={"Content-Type": "application/json"}),
    Ask(
        *("remove-background", 422, "/v1/remove-background?crop=perhaps"),
        body=make_paid_photo(),
        headers={"Content-Type": "image/png"},
    ),
    Ask("image-matte-v1", 200, "/image/matte/v1", {"image": PICTURE}),
    Ask("image-matte-v1", 400, "/image/matte/v1", {"image": make_paid_photo()[:200]}),
    Ask("image-matte-v1", 401, "/image/matte/v1", {"image": PICTURE}, headers={"X-API-Key": "cc_guessed"}),
    Ask("image-matte-v1", 415, "/image/matte/v1", body=b"{}", headers={"Content-Type": "application/json"}),
    Ask("image-matte-v1", 422, "/image/matte/v1", {"image": PICTURE, "crop_margin": "wide", "size": "0"}),
    Ask("image-blur-v1", 200, "/image/blur/v1", {"image": PICTURE, "radius": "40", "format": "jpg"}),
    Ask("image-blur-v1", 422, "/image/blur/v1", {"image": PICTURE, "radius": "0"}),
    Ask("image-color-v1", 200, "/image/color/v1", {"image": PICTURE, "bgcolor": "255,0,0"}),
    Ask("image-color-v1", 422, "/image/color/v1", {"image": PICTURE, "bgcolor": "reddish"}),
    Ask("image-gradient-v1", 200, "/image/gradient/v1", {"image": PICTURE, "hexColor1": "#ff7e5f"}),
    Ask("image-shadow-v1", 200, "/image/shadow/v1", {"image": PICTURE, "mode": "contact"}),
    Ask("image-picture-v1", 200, "/image/picture/v1", {"image": PICTURE, "background": PICTURE}),
    Ask("image-picture-v1", 422, "/image/picture/v1", {"image": PICTURE}),
    Ask("image-generate-v1", 422, "/image/generate/v1", {"image": PICTURE}),
    Ask("image-hd-submit-v1", 202, "/image/hd/submit/v1", {"image": PICTURE, "operation": "color"}),
    Ask("image-hd-submit-v1", 400, "/image/hd/submit/v1", {"image": b"no picture"}),
    Ask("image-hd-submit-v1", 422, "/image/hd/submit/v1", {"image": PICTURE, "operation": "paint"}),
    Ask("image-hd-result", 404, f"/image/hd/result/{STRANGER}", method="GET"),
    Ask("video-submit-v1", 400, "/video/submit/v1", {"video": b"no video"}),
    Ask("video-result", 404, f"/video/result/{STRANGER}", method="GET"),
    Ask("jobs-events", 404, f"/jobs/{STRANGER}/events", method="GET"),
    Ask("jobs-delete", 404, f"/jobs/{STRANGER}", method="DELETE"),
    Ask("removebg", 200, "/v1.0/removebg", {"image_file": PICTURE}),
    Ask("removebg", 400, "/v1.0/removebg", {"size": "auto"}),
    Ask("removebg-account", 403, "/v1.0/account", method="GET"),
    Ask("account", 401, "/account", method="GET"),
    Ask("health", 200, "/health", method="GET"),
    Ask("ready", 200, "/ready", method="GET"),
    Ask("playground-access", 200, "/playground/access", method="GET"),
    Ask("well-known-x402", 200, "/.well-known/x402", method="GET"),
)


async def test_the_examples_are_what_is_answered(paid_adapter: RunningAdapter) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60)) as http:
        document = await (await http.get(paid_adapter.url("/openapi.json"))).json()
        told = {
            f"{operation['operationId']} {status}": set(answer.get("headers", {}))
            for methods in document["paths"].values()
            for operation in methods.values()
            for status, answer in operation["responses"].items()
        }
        answers = {f"{ask.name} {ask.status}": await answer(http, paid_adapter, ask, told) for ask in ASKED}
    if os.environ.get("CLEARCANVAS_RECORD"):
        FILE.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert blur(json.loads(FILE.read_text(encoding="utf-8"))) == blur(answers)
    shown = document["paths"]["/image/blur/v1"]["post"]["responses"]
    assert shown["422"]["content"]["application/json"]["example"] == answers["image-blur-v1 422"]["body"]
    assert shown["200"]["headers"]["X-Width"]["example"] == int(answers["image-blur-v1 200"]["headers"]["X-Width"])


async def answer(http: aiohttp.ClientSession, stack: RunningAdapter, ask: Ask, told: dict[str, set[str]]) -> Any:
    """What an example keeps of an answer: the headers that the document tells of, and the body where it is JSON."""
    form = aiohttp.FormData(default_to_multipart=True) if ask.form else None
    for name, value in ask.form.items():
        content = make_paid_photo() if value is PICTURE else value
        assert form is not None
        if isinstance(content, bytes):
            form.add_field(name, content, filename="photo.png", content_type="image/png")
        else:
            form.add_field(name, content)
    url = stack.url(ask.path)
    async with http.request(ask.method, url, data=form or ask.body, headers=ask.headers) as response:
        text = await response.read()
        assert response.status == ask.status, (ask.name, text)
        names = sorted(told[f"{ask.name} {ask.status}"] & set(response.headers) - {"X-Request-ID"})
        kept: dict[str, Any] = {"headers": {name: response.headers[name] for name in names if name.startswith("X-")}}
        if "Server-Timing" in response.headers:
            kept["headers"]["Server-Timing"] = response.headers["Server-Timing"]
        if response.content_type == "application/json":
            kept["body"] = json.loads(text.decode().replace(f"http://{stack.http}", BASE_URL))
        return kept


def blur(value: Any, name: str = "") -> Any:
    """`value` without what changes from run to run."""
    if name in CHANGING:
        return type(value).__name__
    if isinstance(value, dict):
        return {key: blur(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [blur(item) for item in value]
    return value

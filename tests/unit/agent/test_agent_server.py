"""The server against a service of our own making: what is sent, and what the agent is told."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from mcp.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolResult, ImageContent, RequestParamsMeta, ResourceLink, TextContent
from mpp import Challenge, Receipt

from agent.pictures import Files
from agent.server import Desk
from agent.service import Service

PNG = b"\x89PNG\r\n\x1a\n picture"
IMAGE = {"image": base64.b64encode(PNG).decode()}
OFFER = {"x402Version": 2, "accepts": [{"scheme": "exact"}]}
PAYMENT = {"x402Version": 2, "payload": {"signature": "0x1"}}
FACTS = {
    "Content-Type": "image/png",
    "X-Width": "30",
    "X-Height": "20",
    "X-Model": "toy",
    **{f"X-Foreground-{side}": "5" for side in ("Top", "Left", "Width", "Height")},
}
DONE = httpx.Response(200, headers=FACTS, content=b"cut-out")
LATER = httpx.Response(503, headers={"Retry-After": "1"}, json={"message": "Not settled yet.", "retryable": True})
TOO_LARGE = httpx.Response(400, json={"message": "Image too large for regular processing. Use HD endpoint."})

Answers = Callable[[httpx.Request], httpx.Response]


def encode(document: object) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


class FakeService:
    """Gives the answers it is told, one after the other, and remembers what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]


@asynccontextmanager
async def agent(fake: FakeService, files: Files | None = None, api_key: str = "") -> AsyncIterator[Client]:
    transport = httpx.MockTransport(fake)
    async with (
        httpx.AsyncClient(base_url="http://service", transport=transport) as http,
        Client(Desk(Service(http, 60.0), files, api_key).build()) as client,
    ):
        yield client


async def call(
    fake: FakeService, name: str = "remove_background", meta: Any = None, **arguments: Any
) -> CallToolResult:
    async with agent(fake) as client:
        try:
            return await client.call_tool(name, IMAGE | arguments, meta=meta)
        except MCPError as error:  # The client would raise it in a group.
            refused = error
    raise refused


def words_of(result: CallToolResult) -> str:
    assert result.is_error
    (text,) = result.content
    assert isinstance(text, TextContent)
    return text.text


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.service._pause", lambda _: 0.0)
    monkeypatch.setattr("agent.service._PAUSE_S", 0.0)


async def test_a_result_is_a_picture_and_its_facts() -> None:
    fake = FakeService(DONE)
    result = await call(fake, "blur_background", radius=7)
    picture, text = result.content
    assert isinstance(picture, ImageContent)
    assert (base64.b64decode(picture.data), picture.mime_type) == (b"cut-out", "image/png")
    assert result.structured_content == {
        "media_type": "image/png",
        "size_bytes": 7,
        "width": 30,
        "height": 20,
        "model": "toy",
        "subject": {"top": 5, "left": 5, "width": 5, "height": 5},
    }
    assert isinstance(text, TextContent)
    assert json.loads(text.text) == result.structured_content
    assert fake.paths == ["/image/blur/v1"]
    assert b'name="radius"\r\n\r\n7\r\n' in fake.requests[0].content
    assert PNG in fake.requests[0].content


async def test_another_picture_goes_behind_the_subject() -> None:
    fake = FakeService(DONE)
    behind = b"\xff\xd8\xff behind"
    await call(fake, "replace_background_with_picture", background=base64.b64encode(behind).decode())
    assert b'name="background"' in fake.requests[0].content
    assert behind in fake.requests[0].content


async def test_a_result_is_written_where_the_caller_says(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(PNG)
    fake = FakeService(DONE)
    async with agent(fake, Files(tmp_path)) as client:
        arguments = {"image_path": "photo.png", "save_to": "result.webp"}
        result = await client.call_tool("remove_background", arguments)
        assert (tmp_path / "result.webp").read_bytes() == b"cut-out"
        assert isinstance(result.content[0], ResourceLink)
        assert b'name="format"\r\n\r\nwebp\r\n' in fake.requests[0].content
        for wrong in (
            {"save_to": "result.gif"},
            {"save_to": "other.png", "format": "webp"},
            {"save_to": "result.webp"},
        ):
            refused = await client.call_tool("remove_background", {"image_path": "photo.png", **wrong})
            assert words_of(refused)
    assert len(fake.requests) == 1


@pytest.mark.parametrize("name", ["image_path", "save_to", "background_path"])
async def test_a_caller_elsewhere_has_no_files_here(name: str, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(PNG)
    fake = FakeService()
    refused = await call(fake, "replace_background_with_picture", **{name: str(tmp_path / "photo.png")})
    assert name in words_of(refused)
    assert fake.requests == []


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("blur_background", {"radius": 101}, "radius: Input should be less than or equal to 100"),
        ("remove_background", {"colour": "red"}, "colour: Extra inputs are not permitted"),
        ("remove_background", {"image": ""}, "image is missing"),
        ("remove_background", {"image": "/etc/passwd"}, "image is no"),
        ("replace_background_with_color", {}, "color: Field required"),
    ],
)
async def test_wrong_arguments_are_told_and_not_sent(tool: str, arguments: dict[str, Any], words: str) -> None:
    fake = FakeService()
    assert words in words_of(await call(fake, tool, **arguments))
    assert fake.requests == []


async def test_there_is_no_other_tool() -> None:
    with pytest.raises(MCPError, match="no tool sharpen") as refused:
        await call(FakeService(), "sharpen")
    assert refused.value.code == INVALID_PARAMS


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(400, json={"message": "Not a picture."}), "answered 400: Not a picture."),
        (httpx.Response(422, json={"message": "Invalid", "fields": {"size": "must be …"}}), "Invalid: size must be …"),
        (httpx.Response(429, json={"message": "Slow."}, headers={"Retry-After": "9"}), "Slow. Try again in 9 s."),
        (httpx.Response(502, text="<html>"), "answered 502"),
        (httpx.ConnectError("refused"), "http://service does not answer"),
    ],
)
async def test_a_refusal_is_told_in_the_services_words(answer: httpx.Response | Exception, words: str) -> None:
    assert words in words_of(await call(FakeService(answer)))


async def test_a_large_picture_goes_the_way_of_jobs_by_itself() -> None:
    accepted = httpx.Response(202, json={"uuid": "abc"})
    at_work = httpx.Response(202, json={"progress_percentage": 40.0})
    fake = FakeService(TOO_LARGE, accepted, at_work, DONE)
    told: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        assert (total, message) == (100, None)
        told.append(progress)

    async with agent(fake, api_key="k") as client:
        result = await client.call_tool("blur_background", IMAGE, progress_callback=note)
    assert not result.is_error
    assert fake.paths == ["/image/blur/v1", "/image/hd/submit/v1", *2 * ["/image/hd/result/abc"]]
    assert b'name="operation"\r\n\r\nblur\r\n' in fake.requests[1].content
    assert {request.headers["X-API-Key"] for request in fake.requests} == {"k"}
    assert told == [40.0]


def ask(*, x402: bool, mpp: bool, **more: Any) -> httpx.Response:
    """A 402 of one rail, or of both."""
    headers = [("PAYMENT-REQUIRED", encode(OFFER))] if x402 else []
    if mpp:
        headers.append(("WWW-Authenticate", challenge().to_www_authenticate("service")))
    return httpx.Response(402, headers=headers, **more)


def challenge() -> Challenge:
    return Challenge.create(
        secret_key="s" * 32,
        realm="service",
        method="tempo",
        intent="charge",
        request={"amount": "50000", "currency": "0x20c0"},
        meta={"route": "matte"},
    )


def credential(asked: dict[str, Any]) -> dict[str, Any]:
    return {"org.paymentauth/credential": {"challenge": asked, "payload": {"type": "hash", "hash": "0x1"}}}


async def test_x402_is_asked_for_in_the_result_and_mpp_beside_it() -> None:
    result = await call(FakeService(ask(x402=True, mpp=True)))
    assert json.loads(words_of(result)) == OFFER
    assert result.structured_content == OFFER
    required = (result.meta or {})["org.paymentauth/payment-required"]
    assert required["httpStatus"] == 402
    (asked,) = required["challenges"]
    assert (asked["request"]["amount"], asked["opaque"]) == ("50000", challenge().to_echo().opaque)


async def test_mpp_alone_is_asked_for_in_an_error() -> None:
    with pytest.raises(MCPError, match="Payment Required") as asked:
        await call(FakeService(ask(x402=False, mpp=True)))
    assert asked.value.code == -32042
    assert asked.value.data["httpStatus"] == 402
    assert asked.value.data["challenges"][0]["method"] == "tempo"


async def test_a_payment_by_x402_travels_as_a_header_and_its_receipt_back() -> None:
    settled = {"success": True, "transaction": "0xabc"}
    paid = httpx.Response(200, headers=FACTS | {"PAYMENT-RESPONSE": encode(settled)}, content=b"cut-out")
    fake = FakeService(paid)
    async with agent(fake, api_key="k") as client:
        result = await client.call_tool(
            "remove_background", IMAGE, meta=cast("RequestParamsMeta", {"x402/payment": PAYMENT})
        )
    assert json.loads(base64.b64decode(fake.requests[0].headers["PAYMENT-SIGNATURE"])) == PAYMENT
    assert "X-API-Key" not in fake.requests[0].headers
    assert (result.meta or {})["x402/payment-response"] == settled


async def test_a_payment_of_the_first_version_has_the_first_versions_header() -> None:
    fake = FakeService(DONE)
    await call(fake, meta={"x402/payment": PAYMENT | {"x402Version": 1}})
    assert "X-PAYMENT" in fake.requests[0].headers


@pytest.mark.parametrize("opaque", [challenge().to_echo().opaque, {"route": "matte"}], ids=["mppx", "pympp"])
async def test_a_payment_by_mpp_travels_as_the_scheme_says_and_its_receipt_back(opaque: object) -> None:
    receipt = Receipt.success("0xabc", method="tempo").to_payment_receipt()
    fake = FakeService(httpx.Response(200, headers=FACTS | {"Payment-Receipt": receipt}, content=b"cut-out"))
    echo = challenge().to_echo()
    asked = {
        "id": echo.id,
        "realm": echo.realm,
        "method": "tempo",
        "intent": "charge",
        "request": {"amount": "50000", "currency": "0x20c0"},
        "opaque": opaque,
    }
    result = await call(fake, meta=credential(asked))
    scheme, _, token = fake.requests[0].headers["Authorization"].partition(" ")
    sent = json.loads(base64.urlsafe_b64decode(token + "=="))
    assert scheme == "Payment"
    assert {name: sent["challenge"][name] for name in ("id", "request", "opaque")} == {
        "id": echo.id,
        "request": echo.request,
        "opaque": echo.opaque,
    }
    told = (result.meta or {})["org.paymentauth/receipt"]
    assert (told["reference"], told["challengeId"]) == ("0xabc", echo.id)
    assert told["settlement"] == {"amount": "50000", "currency": "0x20c0"}


async def test_a_refused_credential_is_told_with_a_new_challenge() -> None:
    problem = {"type": "https://paymentauth.org/problems/payment-expired", "detail": "Too late."}
    refusal = ask(x402=True, mpp=True, content=json.dumps(problem).encode())
    refusal.headers["Content-Type"] = "application/problem+json"
    asked = {"id": "1", "realm": "service", "method": "tempo", "intent": "charge", "request": {}}
    with pytest.raises(MCPError) as refused:
        await call(FakeService(refusal), meta=credential(asked))
    assert refused.value.code == -32043
    assert refused.value.data["problem"] == problem
    assert refused.value.data["challenges"]


@pytest.mark.parametrize(
    "meta",
    [
        {"x402/payment": "0x1"},
        {"org.paymentauth/credential": "Payment abc"},
        {"org.paymentauth/credential": {"challenge": {"id": "1"}, "payload": {}}},
        {"org.paymentauth/credential": {"challenge": {"opaque": "no base64"}, "payload": {}}},
        {"x402/payment": PAYMENT, "org.paymentauth/credential": {}},
    ],
)
async def test_a_malformed_payment_is_no_call(meta: dict[str, Any]) -> None:
    fake = FakeService()
    with pytest.raises(MCPError) as refused:
        await call(fake, meta=meta)
    assert refused.value.code == INVALID_PARAMS
    assert fake.requests == []


async def test_what_is_paid_for_is_asked_for_again_while_nobody_knows_whether_it_is_paid() -> None:
    fake = FakeService(LATER, httpx.ReadTimeout("slow"), DONE)
    assert not (await call(fake, meta={"x402/payment": PAYMENT})).is_error
    assert len({request.headers["PAYMENT-SIGNATURE"] for request in fake.requests}) == 1
    assert len(fake.requests) == 3


async def test_what_is_not_paid_for_is_asked_for_once() -> None:
    fake = FakeService(LATER)
    assert "Not settled yet." in words_of(await call(fake))
    assert len(fake.requests) == 1


async def test_the_result_of_a_job_that_could_not_be_paid_is_not_asked_a_second_payment_for() -> None:
    fake = FakeService(TOO_LARGE, httpx.Response(202, json={"uuid": "abc"}), ask(x402=True, mpp=True))
    told = words_of(await call(fake, meta={"x402/payment": PAYMENT}))
    assert "http://service/image/hd/result/abc" in told
    assert "PAYMENT-SIGNATURE" not in fake.requests[2].headers

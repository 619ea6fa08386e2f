"""The picture as the body: every limit on both sides, and refused before, or while, it is read."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from clearcanvas.v1.images_pb2 import EditRequest, EditResponse

from tests.integration.adapter.fake_service import Context, FakeImageService, RunningFake, echo
from tests.integration.adapter.process import Answer, RawConnection
from tests.integration.adapter.shop import PATH, PNG, RunningShop, running_shop

MIB = 1024 * 1024
LIMIT = 25 * MIB
TYPE = "Content-Type: image/png"
PAID = "X-PAYMENT: one"


@pytest_asyncio.fixture
async def shop(running_fake: RunningFake, fake: FakeImageService, tmp_path: Path) -> AsyncIterator[RunningShop]:
    assert not fake.requests
    settings = {"upload_idle_timeout_s": 0.5, "upload_budget_mib": 30}
    async with running_shop(running_fake.address, tmp_path, settings=settings) as running:
        yield running


@asynccontextmanager
async def connect(shop: RunningShop) -> AsyncIterator[RawConnection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.port)
    try:
        yield RawConnection(reader, writer)
    finally:
        writer.close()


async def post(shop: RunningShop, *headers: str, body: bytes = b"") -> Answer:
    async with connect(shop) as connection:
        await connection.post(PATH, TYPE, *headers, body=body)
        return await connection.read_answer()


def code(answer: Answer) -> str:
    return str(json.loads(answer.body)["error"])


@pytest.mark.case("H1")
@pytest.mark.parametrize("headers", [[], [PAID], ["Expect: 100-continue"]])
async def test_a_content_length_over_the_limit_is_refused_unread(shop: RunningShop, headers: list[str]) -> None:
    answer = await post(shop, f"Content-Length: {LIMIT + 1}", *headers)  # Nothing of the body was ever sent.
    assert (answer.status, code(answer)) == (413, "payload_too_large")
    assert answer.headers["connection"] == "close"


@pytest.mark.case("H1")
async def test_a_picture_may_have_25_mib(shop: RunningShop, fake: FakeImageService) -> None:
    answer = await post(shop, PAID, f"Content-Length: {LIMIT}", body=PNG + bytes(LIMIT - len(PNG)))
    assert (answer.status, len(answer.body)) == (200, LIMIT)
    assert [len(request.image) for request in fake.requests] == [LIMIT]


@pytest.mark.case("H2")
async def test_an_endless_body_is_cut_off_at_the_limit(shop: RunningShop, fake: FakeImageService) -> None:
    chunk = b"100000\r\n" + bytes(MIB) + b"\r\n"
    async with connect(shop) as connection:
        await connection.post(PATH, TYPE, PAID, "Transfer-Encoding: chunked")
        for _ in range(26):
            await connection.send(chunk)
        answer = await connection.read_answer()
    assert (answer.status, code(answer)) == (413, "payload_too_large")
    assert fake.inspected == []


async def test_a_chunked_picture_is_a_picture_and_an_empty_one_a_question(shop: RunningShop) -> None:
    async with connect(shop) as connection:
        await connection.post(PATH, TYPE, PAID, "Transfer-Encoding: chunked")
        for byte in PNG[:40]:
            await connection.send(b"1\r\n%c\r\n" % byte)
        await connection.send(b"0\r\n\r\n")
        answer = await connection.read_answer()
        assert (answer.status, answer.body) == (200, PNG[:40])
    assert (await post(shop, "Transfer-Encoding: chunked", body=b"0\r\n\r\n")).status == 402


async def test_a_body_that_stalls_is_408(shop: RunningShop) -> None:
    answer = await post(shop, "Content-Length: 100", body=b"x")
    assert (answer.status, code(answer)) == (408, "upload_timeout")
    assert json.loads(answer.body)["retryable"] is True


async def test_an_expected_body_is_invited_once_its_headers_are_good(shop: RunningShop) -> None:
    async with connect(shop) as connection:
        await connection.post(PATH, TYPE, PAID, f"Content-Length: {len(PNG)}", "Expect: 100-continue")
        assert (await connection.read_answer()).status == 100
        await connection.send(PNG)
        assert (await connection.read_answer()).body == PNG
    async with connect(shop) as connection:
        await connection.post(PATH, "Content-Type: text/plain", "Content-Length: 9", "Expect: 100-continue")
        assert (await connection.read_answer()).status == 415


@pytest.mark.case("H3")
async def test_a_compressed_body_is_refused(shop: RunningShop) -> None:
    answer = await post(shop, PAID, "Content-Length: 9", "Content-Encoding: gzip", body=b"123456789")
    assert (answer.status, code(answer)) == (415, "unsupported_media_type")


async def test_a_broken_chunk_is_400(shop: RunningShop) -> None:
    answer = await post(shop, "Transfer-Encoding: chunked", body=b"not hexadecimal\r\n")
    assert answer.status == 400


@pytest.mark.case("H10")
async def test_uploads_over_the_common_budget_are_503_at_once(shop: RunningShop, fake: FakeImageService) -> None:
    release = asyncio.Event()

    async def wait(request: EditRequest, context: Context) -> AsyncIterator[EditResponse]:
        await release.wait()
        async for message in echo(request, context):
            yield message

    fake.behaviour = wait
    size = 20 * MIB
    async with connect(shop) as first:
        await first.post(PATH, TYPE, PAID, f"Content-Length: {size}", body=PNG + bytes(size - len(PNG)))
        await asyncio.wait_for(fake.started.wait(), 30)
        answer = await post(shop, "X-PAYMENT: two", f"Content-Length: {size}", body=bytes(size))
        assert (answer.status, code(answer), answer.headers["retry-after"]) == (503, "overloaded", "1")
        release.set()
        assert (await first.read_answer()).status == 200
    assert shop.x402.settled == ["x402:one"]

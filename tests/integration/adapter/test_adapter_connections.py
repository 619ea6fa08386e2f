"""Connections that stall, drip, crowd or talk nonsense: closed, and the others unharmed."""

import asyncio
import json
import resource
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.integration.adapter.fake_service import FakeImageService, RunningFake
from tests.integration.adapter.process import FORM_TYPE, AdapterProcess, RawConnection, form, run_adapter

MATTE = "/image/matte/v1"
HEALTH = b"GET /health HTTP/1.1\r\nHost: test\r\n"


@pytest_asyncio.fixture(scope="module")
async def impatient(running_fake: RunningFake) -> AsyncIterator[AdapterProcess]:
    """An adapter with short timeouts everywhere."""
    timeouts = {
        "header_timeout_s": "1",
        "keepalive_timeout_s": "1",
        "upload_idle_timeout_s": "0.5",
        "upload_timeout_s": "2",
    }
    async with run_adapter(running_fake.address, **timeouts) as process:
        yield process


async def drip(connection: RawConnection, data: bytes) -> None:
    """Sends a byte at a time, each well within any idle timeout, until the other side has enough."""
    for byte in data:
        if connection.reader.at_eof():
            return
        try:
            await connection.send(bytes([byte]))
        except ConnectionError:
            return
        await asyncio.sleep(0.1)


@pytest.mark.case("H4")
@pytest.mark.parametrize("start", [b"", b"GET /health HTTP/1.1\r\nHost: te"], ids=["nothing", "half a header"])
async def test_a_stalled_header_is_closed(impatient: AdapterProcess, start: bytes) -> None:
    async with impatient.connect() as connection:
        await connection.send(start)
        assert await connection.read_to_end() == b""


@pytest.mark.case("H4")
async def test_a_dripping_header_is_closed(impatient: AdapterProcess) -> None:
    async with impatient.connect() as connection:
        dripping = asyncio.create_task(drip(connection, b"GET /health HTTP/1.1\r\nX-Long: " + b"x" * 8000))
        assert await connection.read_to_end() == b""
        await dripping


@pytest.mark.case("H4")
async def test_a_dripping_header_of_a_later_request_is_closed_too(impatient: AdapterProcess) -> None:
    async with impatient.connect() as connection:
        await connection.send(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n")
        assert (await connection.read_answer()).status == 200
        dripping = asyncio.create_task(drip(connection, b"GET /health HTTP/1.1\r\nX-Long: " + b"x" * 8000))
        assert await connection.read_to_end() == b""
        await dripping


@pytest.mark.case("H4")
async def test_a_stalled_body_is_408(impatient: AdapterProcess, fake: FakeImageService) -> None:
    body = form(bytes(10_000))
    async with impatient.connect() as connection:
        await connection.post(MATTE, FORM_TYPE, f"Content-Length: {len(body)}", body=body[:-1])
        answer = await connection.read_answer()
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert json.loads(answer.body) == {"message": "The request body did not arrive in time."}
        assert await connection.read_to_end() == b""
    assert fake.requests == []


@pytest.mark.case("H4")
async def test_a_dripping_body_is_408(impatient: AdapterProcess, fake: FakeImageService) -> None:
    body = form(bytes(10_000))
    async with impatient.connect() as connection:
        await connection.post(MATTE, FORM_TYPE, f"Content-Length: {len(body)}")
        dripping = asyncio.create_task(drip(connection, body))
        assert (await connection.read_answer()).status == 408
        await connection.read_to_end()
        await dripping
    assert fake.requests == []


@pytest.mark.case("H4")
async def test_1000_stalled_connections_do_not_harm_another(impatient: AdapterProcess, fake: FakeImageService) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    body = form(bytes(10_000))
    async with AsyncExitStack() as stack:
        stalled: list[RawConnection] = []
        for number in range(1000):
            connection = await stack.enter_async_context(impatient.connect())
            stalled.append(connection)
            if number % 2:
                await connection.send(b"POST /image/matte/v1 HTTP/1.1\r\nHo")
            else:
                await connection.post(MATTE, FORM_TYPE, f"Content-Length: {len(body)}", body=body[:100])
        async with impatient.connect() as connection:
            await connection.post(MATTE, FORM_TYPE, f"Content-Length: {len(body)}", body=body)
            assert (await connection.read_answer()).status == 200
        ends = await asyncio.gather(*(connection.read_to_end() for connection in stalled))
    assert [end[:12] for end in ends[1::2]] == [b""] * 500
    assert [end[:12] for end in ends[::2]] == [b"HTTP/1.1 408"] * 500
    assert len(fake.requests) == 1


async def test_connections_beyond_the_limit_are_closed_at_once(running_fake: RunningFake) -> None:
    async with run_adapter(running_fake.address, max_connections="3") as adapter, AsyncExitStack() as stack:
        held = [await stack.enter_async_context(adapter.connect()) for _ in range(3)]
        for connection in held:
            await connection.send(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n")
            assert (await connection.read_answer()).status == 200
        async with adapter.connect() as surplus:
            assert await surplus.read_to_end() == b""
        held[0].writer.close()
        await held[0].writer.wait_closed()
        served = b""
        while not served:  # Until the adapter has seen the place become free.
            async with adapter.connect() as next_one:
                try:
                    await next_one.send(b"GET /health HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
                except ConnectionError:
                    continue
                served = await next_one.read_to_end()
        assert served.startswith(b"HTTP/1.1 200")


@pytest.mark.case("H5")
@pytest.mark.parametrize(
    ("head", "status"),
    [
        (HEALTH + b"X-Many: 1\r\n" * 127, 200),
        (HEALTH + b"X-Many: 1\r\n" * 128, 400),
        (HEALTH + b"X-Long: " + b"x" * 8000 + b"\r\n", 200),
        (HEALTH + b"X-Long: " + b"x" * 8200 + b"\r\n", 400),
        (b"GET /health?" + b"x" * 8000 + b" HTTP/1.1\r\nHost: test\r\n", 200),
        (b"GET /health?" + b"x" * 8200 + b" HTTP/1.1\r\nHost: test\r\n", 400),
        (HEALTH + b"Content-Length: -1\r\n", 400),
        (HEALTH + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"\x16\x03\x01 this is TLS\r\n", 400),
    ],
    ids=["128", "129", "8000 bytes", "8200 bytes", "a path", "a long path", "negative", "smuggling", "not HTTP"],
)
async def test_headers_are_bounded_and_sound(adapter: AdapterProcess, head: bytes, status: int) -> None:
    async with adapter.connect() as connection:
        await connection.send(head + b"\r\n")
        answer = await connection.read_answer()
        assert answer.status == status
        if status == 400:
            assert json.loads(answer.body) == {"message": "Malformed request."}
            assert answer.headers["access-control-allow-origin"] == "*"
            assert len(answer.headers["x-request-id"]) == 32
            assert await connection.read_to_end() == b""

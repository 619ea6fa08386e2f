"""Uploads: every limit on both sides, and refused before, or while, they are read."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.adapter.fake_service import FakeImageService, RunningFake
from tests.integration.adapter.process import BOUNDARY, FORM_TYPE, AdapterProcess, Answer, form, run_adapter

MATTE = "/image/matte/v1"
MIB = 1024 * 1024
IMAGE_LIMIT = 25 * MIB
BODY_LIMIT = IMAGE_LIMIT + 64 * 1024
DASHES = f"--{BOUNDARY}".encode()


async def upload(adapter: AdapterProcess, body: bytes, *headers: str) -> Answer:
    async with adapter.connect() as connection:
        await connection.post(MATTE, FORM_TYPE, f"Content-Length: {len(body)}", *headers, body=body)
        return await connection.read_answer()


@pytest.mark.case("H1")
@pytest.mark.parametrize("headers", [[], ["Expect: 100-continue"]])
async def test_a_content_length_over_the_limit_is_refused_unread(
    adapter: AdapterProcess, fake: FakeImageService, headers: list[str]
) -> None:
    async with adapter.connect() as connection:
        await connection.post(MATTE, FORM_TYPE, f"Content-Length: {26 * MIB}", *headers)
        answer = await connection.read_answer()  # Nothing of the body was ever sent; a 100 would be read first.
        assert answer.status == 413
        assert answer.headers["connection"] == "close"
        assert json.loads(answer.body)["message"].startswith("The request is too large")
        assert await connection.read_to_end() == b""
    assert fake.requests == []


@pytest.mark.case("H1")
@pytest.mark.parametrize(("length", "status"), [(BODY_LIMIT, 100), (BODY_LIMIT + 1, 413)])
async def test_the_invitation_to_send_comes_up_to_the_limit(adapter: AdapterProcess, length: int, status: int) -> None:
    async with adapter.connect() as connection:
        await connection.post(MATTE, FORM_TYPE, f"Content-Length: {length}", "Expect: 100-continue")
        assert (await connection.read_answer()).status == status


async def test_an_invited_body_is_answered(adapter: AdapterProcess, fake: FakeImageService) -> None:
    body = form(b"expected")
    async with adapter.connect() as connection:
        await connection.post(MATTE, FORM_TYPE, f"Content-Length: {len(body)}", "Expect: 100-continue")
        assert (await connection.read_answer()).status == 100
        await connection.send(body)
        assert (await connection.read_answer()).body == b"expected"
    assert len(fake.requests) == 1


async def test_an_unknown_expectation_is_417(adapter: AdapterProcess, fake: FakeImageService) -> None:
    answer = await upload(adapter, form(), "Expect: miracles")
    assert answer.status == 417
    assert json.loads(answer.body) == {"message": "Expectation Failed"}
    assert fake.requests == []


@pytest.mark.case("H1")
@pytest.mark.parametrize(("size", "status"), [(IMAGE_LIMIT, 200), (IMAGE_LIMIT + 1, 413)])
async def test_the_image_itself_may_have_25_mib(
    adapter: AdapterProcess, fake: FakeImageService, size: int, status: int
) -> None:
    answer = await upload(adapter, form(bytes(size)))
    assert answer.status == status
    assert [len(request.image) for request in fake.requests] == ([size] if status == 200 else [])


@pytest.mark.case("H2")
async def test_an_endless_chunked_body_is_cut_at_the_limit(adapter: AdapterProcess, fake: FakeImageService) -> None:
    chunk = b"%x\r\n%s\r\n" % (MIB, bytes(MIB))
    opening = form(b"")[: -len(DASHES) - 6]
    before = adapter.forget_peak_memory()
    async with adapter.connect() as connection:
        await connection.post(MATTE, FORM_TYPE, "Transfer-Encoding: chunked")
        await connection.send(b"%x\r\n%s\r\n" % (len(opening), opening))
        sent = 0
        try:
            for _ in range(1024):
                await connection.send(chunk)
                sent += 1
        except ConnectionError:
            pass
        # 25 MiB are the limit, 8 are read away, and the sockets of both ends buffer a few more.
        assert 25 <= sent < 64
    assert adapter.peak_memory_mib - before < 64
    assert fake.requests == []


@pytest.mark.case("H2")
async def test_a_slower_sender_over_the_limit_reads_why(adapter: AdapterProcess, fake: FakeImageService) -> None:
    body = form(bytes(IMAGE_LIMIT + 1))
    async with adapter.connect() as connection:
        await connection.post(MATTE, FORM_TYPE, "Transfer-Encoding: chunked")
        await connection.send(b"%x\r\n%s\r\n" % (len(body), body))
        assert (await connection.read_answer()).status == 413
    assert fake.requests == []


def parts(count: int) -> bytes:
    """`count` small fields and then the image."""
    return form(b"picture", **{f"field{number}": "1" for number in range(count)})


@pytest.mark.case("H3")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (parts(31), 200),
        (parts(32), 413),
        (parts(10_000), 413),
        (form(extra="x" * 4096), 200),
        (form(extra="x" * 4097), 413),
    ],
    ids=["32 parts", "33 parts", "10,001 parts", "a long field", "a longer field"],
)
async def test_parts_and_fields_are_bounded(
    adapter: AdapterProcess, fake: FakeImageService, body: bytes, status: int
) -> None:
    assert (await upload(adapter, body)).status == status
    assert len(fake.requests) == (status == 200)


def part(*headers: str, name: str = "image") -> bytes:
    lines = [f'Content-Disposition: form-data; name="{name}"', *headers]
    return DASHES + b"\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\nAAAA\r\n" + DASHES + b"--\r\n"


@pytest.mark.case("H3")
@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (part("Content-Type: multipart/mixed; boundary=inner"), [], 400),
        (part("Content-Transfer-Encoding: base64"), [], 415),
        (part("Content-Encoding: gzip"), [], 415),
        (part("Content-Transfer-Encoding: binary"), [], 200),
        (form(), ["Content-Encoding: gzip"], 415),
        (form(), ["Content-Encoding: identity"], 200),
        (part(*(f"X-Header-{number}: 1" for number in range(8))), [], 413),
        (part("X-Long: " + "x" * 5000), [], 413),
    ],
)
async def test_nested_encoded_and_compressed_forms_are_refused(
    adapter: AdapterProcess, fake: FakeImageService, body: bytes, headers: list[str], status: int
) -> None:
    answer = await upload(adapter, body, *headers)
    assert answer.status == status
    assert status == 200 or set(json.loads(answer.body)) == {"message"}
    assert len(fake.requests) == (status == 200)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        form()[:-20],
        form().replace(b"form-data", b"attachment"),
        form(b"one")[: -len(DASHES) - 4] + form(b"two"),
        form(caption="x").replace(b"x\r\n", b"\xff\r\n"),
    ],
    ids=["empty", "text", "cut short", "not form-data", "two images", "not UTF-8"],
)
async def test_what_is_not_a_whole_form_is_400(adapter: AdapterProcess, fake: FakeImageService, body: bytes) -> None:
    answer = await upload(adapter, body)
    assert answer.status == 400
    assert set(json.loads(answer.body)) == {"message"}
    assert fake.requests == []


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("Content-Type: image/png", 415),
        ("Content-Type: application/x-www-form-urlencoded", 415),
        ("Content-Type: multipart/form-data", 400),
        (f"Content-Type: multipart/form-data; boundary={'b' * 71}", 400),
        ("Accept: */*", 415),
    ],
)
async def test_other_bodies_are_refused_unread(adapter: AdapterProcess, content_type: str, status: int) -> None:
    async with adapter.connect() as connection:
        await connection.post(MATTE, content_type, "Content-Length: 1000")
        assert (await connection.read_answer()).status == status


@pytest.mark.parametrize("encoding", ["chunked", "gzip, chunked", "gzip"])
async def test_a_broken_chunk_and_compressed_chunks_are_400(adapter: AdapterProcess, encoding: str) -> None:
    async with adapter.connect() as connection:
        await connection.post(MATTE, FORM_TYPE, f"Transfer-Encoding: {encoding}", body=b"not hexadecimal\r\n")
        assert (await connection.read_answer()).status == 400


async def test_the_form_may_come_in_any_pieces(adapter: AdapterProcess, fake: FakeImageService) -> None:
    body = form(bytes(range(256)), format="webp")
    async with adapter.connect() as connection:
        await connection.post(MATTE, FORM_TYPE, "Transfer-Encoding: chunked")
        for byte in body:
            await connection.send(b"1\r\n%c\r\n" % byte)
        await connection.send(b"0\r\n\r\n")
        assert (await connection.read_answer()).body == bytes(range(256))
    assert len(fake.requests) == 1


async def test_large_files_nobody_asked_for_are_dropped(adapter: AdapterProcess, fake: FakeImageService) -> None:
    other = b'--%s\r\nContent-Disposition: form-data; name="mask"; filename="m.png"\r\n\r\n%s\r\n'
    answer = await upload(adapter, other % (BOUNDARY.encode(), bytes(MIB)) + form())
    assert (answer.status, answer.body) == (200, b"picture")
    assert fake.requests[0].image == b"picture"


async def test_a_connection_is_kept_for_the_next_upload(adapter: AdapterProcess, fake: FakeImageService) -> None:
    async with adapter.connect() as connection:
        for image in (b"first", b"second"):
            body = form(image)
            await connection.post(MATTE, FORM_TYPE, f"Content-Length: {len(body)}", body=body)
            assert (await connection.read_answer()).body == image
    assert len(fake.requests) == 2


@pytest_asyncio.fixture(scope="module")
async def thrifty(running_fake: RunningFake) -> AsyncIterator[AdapterProcess]:
    """An adapter that lets all uploads together hold 1 MiB."""
    async with run_adapter(running_fake.address, upload_budget_mib="1") as process:
        yield process


async def test_what_is_announced_and_not_sent_takes_nothing_from_others(
    thrifty: AdapterProcess, fake: FakeImageService
) -> None:
    body = form(bytes(700 * 1024))
    async with thrifty.connect() as silent:
        await silent.post(MATTE, FORM_TYPE, f"Content-Length: {len(body)}", "Expect: 100-continue")
        assert (await silent.read_answer()).status == 100
        assert (await upload(thrifty, body)).status == 200
    assert len(fake.requests) == 1


@pytest.mark.case("H10")
async def test_uploads_over_the_common_budget_are_503_at_once(thrifty: AdapterProcess, fake: FakeImageService) -> None:
    body = form(bytes(700 * 1024))
    async with asyncio.timeout(60), thrifty.connect() as one, thrifty.connect() as other:
        for connection in (one, other):
            await connection.post(MATTE, FORM_TYPE, f"Content-Length: {len(body)}", body=body[:-1])
        # Neither is whole, and together they are over the budget: whichever byte comes last is refused.
        waiting = {asyncio.create_task(peer.read_answer()): peer for peer in (one, other)}
        (refused,), (admitted,) = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        answer = refused.result()
        assert answer.status == 503
        assert answer.headers["retry-after"] == "1"
        assert set(json.loads(answer.body)) == {"message"}
        await waiting[admitted].send(body[-1:])
        assert (await admitted).status == 200
    assert len(fake.requests) == 1


@pytest.mark.case("H11")
async def test_an_upload_that_breaks_off_gives_its_memory_back(thrifty: AdapterProcess, fake: FakeImageService) -> None:
    body = form(bytes(900 * 1024))
    for _ in range(5):
        async with thrifty.connect() as connection:
            await connection.post(MATTE, FORM_TYPE, f"Content-Length: {len(body)}", body=body[:-1])
    answer = Answer(503, {}, b"")
    async with asyncio.timeout(30):
        while answer.status == 503:  # Until the adapter has seen that they are gone.
            answer = await upload(thrifty, body)
    assert answer.status == 200
    assert fake.requests[-1].image == bytes(900 * 1024)

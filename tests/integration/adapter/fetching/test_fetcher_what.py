"""What the fetcher takes: one whole picture within its bounds, counted as it comes."""

import asyncio
import gzip
from dataclasses import replace
from typing import Any

import pytest

from adapter.errors import DownloadError, NotAPictureError, OverloadedError
from adapter.fetching.fetcher import Fetcher
from adapter.uploads.budget import UploadBudget
from tests.integration.adapter.fetching.web import PICTURE, Web, chunked, plain

MIB = 1024 * 1024
LIMIT = 25 * MIB


async def refused(web: Web, path: str, **changes: Any) -> None:
    with pytest.raises(DownloadError):
        await web.fetch(web.url(path), **changes)


async def test_a_picture_of_the_limit_is_taken(web: Web) -> None:
    picture = PICTURE + bytes(LIMIT - len(PICTURE))
    web.public.answers["/"] = plain(picture)
    assert await web.fetch(web.url("/")) == picture


async def test_a_chunked_picture_is_taken(web: Web) -> None:
    web.public.answers["/"] = chunked(b"x" * 1000, 10)
    assert await web.fetch(web.url("/")) == PICTURE + b"x" * 10_000


async def test_a_picture_that_comes_byte_by_byte_is_taken(web: Web) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PICTURE))
        for byte in PICTURE[:40]:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(PICTURE[40:])

    web.public.answers["/"] = drip
    assert await web.fetch(web.url("/")) == PICTURE


@pytest.mark.case("S7")
async def test_a_length_over_the_limit_is_refused_before_the_body(web: Web) -> None:
    web.public.answers["/"] = plain(PICTURE, content_length=str(LIMIT + 1))
    budget = UploadBudget(1)
    with pytest.raises(DownloadError):
        await web.fetch(web.url("/"), budget)  # A byte of the body would be OverloadedError.


@pytest.mark.case("S7")
async def test_an_endless_body_is_cut_at_the_limit(web: Web) -> None:
    web.public.answers["/"] = chunked(b"x" * MIB, 1_000_000)
    await refused(web, "/")


@pytest.mark.case("S10")
async def test_a_chunked_picture_of_50_mib_is_refused_and_not_cut(web: Web) -> None:
    web.public.answers["/"] = chunked(b"x" * MIB, 50)
    budget = UploadBudget(LIMIT + 1)
    with pytest.raises(DownloadError):  # Not OverloadedError: never more than the limit is held.
        await web.fetch(web.url("/"), budget)
    assert budget.used_bytes == 0


@pytest.mark.case("S7")
@pytest.mark.parametrize("length", [len(PICTURE) + 1, len(PICTURE) * 2])
async def test_a_body_shorter_than_it_says_is_refused(web: Web, length: int) -> None:
    web.public.answers["/"] = plain(PICTURE, content_length=str(length))
    await refused(web, "/")


@pytest.mark.case("S7")
async def test_a_chunked_body_without_its_end_is_refused(web: Web) -> None:
    web.public.answers["/"] = chunked(b"x" * 1000, 3, end=False)
    await refused(web, "/")


@pytest.mark.case("S7")
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x-unknown"])
async def test_a_compressed_body_is_refused_unread(web: Web, coding: str) -> None:
    bomb = gzip.compress(bytes(64 * MIB))
    web.public.answers["/"] = plain(bomb, content_encoding=coding)
    with pytest.raises(DownloadError):
        await web.fetch(web.url("/"), UploadBudget(1))


@pytest.mark.case("S7")
async def test_a_body_of_a_byte_a_second_is_cut(web: Web) -> None:
    web.public.answers["/"] = chunked(b"x", 1000, pause_s=1)
    await refused(web, "/", total_timeout_s=0.3)


@pytest.mark.case("S7")
async def test_a_server_that_says_nothing_is_left(web: Web) -> None:
    async def hang(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    web.public.answers["/"] = hang
    await refused(web, "/", total_timeout_s=0.3)


@pytest.mark.case("S7")
async def test_names_that_nobody_answers_are_left(web: Web) -> None:
    async def hang(_: str) -> list[str]:
        await asyncio.sleep(60)
        return []

    fetcher = Fetcher(replace(web.policy, total_timeout_s=0.3), hang)
    with UploadBudget(LIMIT).reserve() as reservation, pytest.raises(DownloadError):
        await fetcher.fetch(web.url("/", "silent.example"), reservation)


@pytest.mark.case("S7")
@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00" * 100, b""],
    ids=["headers", "ssh", "zeros", "nothing"],
)
async def test_what_is_not_http_is_refused(web: Web, answer: bytes) -> None:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    web.public.answers["/"] = send
    await refused(web, "/")


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html><body>Not here</body></html>",
        b"%PDF-1.7 and more of it",
        b"<svg xmlns='x'></svg>",
        b"",
        b"\x89",
    ],
)
@pytest.mark.parametrize("media_type", ["text/html", "image/png"])
async def test_what_is_no_picture_by_its_content_is_said_to_be_none(web: Web, body: bytes, media_type: str) -> None:
    web.public.answers["/"] = plain(body, content_type=media_type)
    with pytest.raises(NotAPictureError) as caught:
        await web.fetch(web.url("/"))
    assert caught.value.message == "URL must point to an image file"


async def test_a_page_is_not_read_to_its_end(web: Web) -> None:
    web.public.answers["/"] = chunked(b"x" * MIB, 1_000_000, start=b"<!DOCTYPE html><html>")
    with pytest.raises(NotAPictureError):
        await web.fetch(web.url("/"))


async def test_the_bytes_count_against_the_uploads(web: Web) -> None:
    budget = UploadBudget(len(PICTURE))
    with budget.reserve() as reservation:
        assert await web.fetcher().fetch(web.url("/"), reservation) == PICTURE
        assert budget.used_bytes == len(PICTURE)
        with pytest.raises(OverloadedError):
            await web.fetch(web.url("/"), budget)
    assert budget.used_bytes == 0

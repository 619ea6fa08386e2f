"""The store of results, on a disk and in memory."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapter.payments.errors import StoreUnavailableError
from adapter.payments.ledger import Claim, State, StoredResult
from adapter.payments.payment import PaymentFacts
from adapter.payments.results import ResultInfo, ResultStore

MIB = 1024 * 1024
FACTS = PaymentFacts("x402", "eip155:1", "0xusd", "0xpayer", "0xshop", 1, ("name",), None)


def claim(fence: int = 1) -> Claim:
    return Claim("a" * 32, fence, State.VERIFIED, FACTS, "op", b"", 0.0, verified=True, result=None, settlement=None)


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ResultStore:
    return ResultStore(f"file://{tmp_path / 'a folder'}" if request.param == "file" else "memory:///")


async def pieces(content: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def read(store: ResultStore, result: StoredResult) -> bytes:
    return b"".join([chunk async for chunk in store.read(result)])


@pytest.mark.parametrize("size", [0, 1, 4 * MIB, 13 * MIB + 7])
async def test_what_is_put_is_read(store: ResultStore, size: int) -> None:
    content = os.urandom(size)

    result = await store.put(claim(), ResultInfo("image/png", size, {"X-Width": "1"}), pieces(content))

    assert await store.has(result)
    assert await read(store, result) == content
    assert (result.content_type, result.size, result.headers) == ("image/png", size, {"X-Width": "1"})


async def test_a_source_that_breaks_leaves_nothing(store: ResultStore, tmp_path: Path) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.put(claim(), ResultInfo("image/png", 8), breaking())
    with pytest.raises(ValueError, match="bytes"):
        await store.put(claim(), ResultInfo("image/png", 9), pieces(b"too short"[:-1]))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_deleting_spares_what_a_later_holder_stores(store: ResultStore) -> None:
    first, later = [await store.put(claim(fence), ResultInfo("image/png", 1), pieces(b"x")) for fence in (1, 2)]

    await store.delete(claim(fence=1))
    await store.delete(claim(fence=1))

    assert not await store.has(first)
    assert await store.has(later)
    with pytest.raises(StoreUnavailableError):
        await read(store, first)


async def test_a_cut_off_file_is_no_result(tmp_path: Path) -> None:
    store = ResultStore(f"file://{tmp_path}")
    result = await store.put(claim(), ResultInfo("image/png", 8), pieces(b"complete"))
    (tmp_path / result.path).write_bytes(b"comp")

    assert not await store.has(result)
    with pytest.raises(StoreUnavailableError):
        await read(store, result)


@pytest.mark.case("P14")
async def test_a_full_or_closed_disk_is_unavailable(tmp_path: Path) -> None:
    store = ResultStore(f"file://{tmp_path}")
    (tmp_path / claim().id).write_bytes(b"a file where the folder should be")

    with pytest.raises(StoreUnavailableError):
        await store.put(claim(), ResultInfo("image/png", 1), pieces(b"x"))


@pytest.mark.parametrize("url", ["ftp://user:secret@x", "secret", "s3://", "file:///proc/nowhere"])
def test_a_place_that_cannot_hold_results_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match="results cannot be kept") as refusal:
        ResultStore(url)
    assert "secret" not in str(refusal.value)

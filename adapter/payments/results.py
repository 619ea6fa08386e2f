"""Finished results, held until they are paid for and for a while after: a folder, memory, or an object store by URL."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from adapter.payments.errors import StoreUnavailableError
from adapter.payments.ledger.claim import Claim, StoredResult

_STEP_BYTES = 4 * 1024 * 1024  # A read's step: most results in one. obstore's own stream takes ten times as long.


@dataclass(frozen=True)
class ResultInfo:
    """What the answer needs beside the bytes. `size` in bytes; `headers` beside Content-Type and Content-Length."""

    content_type: str
    size: int
    headers: Mapping[str, str] = field(default_factory=dict)


class ResultStore:
    """Writes, reads and deletes results. All methods raise StoreUnavailableError."""

    def __init__(self, url: str) -> None:
        """`url`: file:///FOLDER, memory:///, s3://BUCKET/PREFIX or another that obstore knows.

        Raises ValueError where it cannot be used.
        """
        address = urlsplit(url)
        self._folder = Path(unquote(address.path)) if address.scheme == "file" else None
        try:
            if self._folder is None:
                self._store = from_url(url)
            else:
                self._store = LocalStore(self._folder, mkdir=True)
        except (BaseError, OSError, ValueError):  # Its text shows the whole URL, and a URL may hold a key.
            kind = address.scheme or "a place without a scheme"
            raise ValueError(
                f"results cannot be kept in {kind}: use file:///FOLDER, memory:/// or s3://BUCKET/PREFIX"
            ) from None

    async def put(self, claim: Claim, info: ResultInfo, chunks: AsyncIterable[bytes]) -> StoredResult:
        """Store `chunks` for the holder of `claim`, whole or not at all.

        Raises ValueError where they are not `info.size` bytes; what `chunks` raises passes.
        """
        path, size = f"{claim.id}/{claim.fence}/{secrets.token_hex(8)}", 0

        async def counted() -> AsyncIterator[bytes]:
            nonlocal size
            async for chunk in chunks:
                size += len(chunk)
                yield chunk
            if size != info.size:  # Here, so that nothing is written.
                raise ValueError(f"the result has {size} bytes, not {info.size}")

        try:
            await obstore.put_async(self._store, path, counted())
            if self._folder is not None:
                # obstore leaves a local file to the system's cache, and the ledger is about to say that it is there.
                await asyncio.to_thread(_sync, self._folder / path)
        except (BaseError, OSError) as error:
            raise _unavailable() from error
        return StoredResult(path, info.content_type, info.size, dict(info.headers))

    async def has(self, result: StoredResult) -> bool:
        """Whether `result` is still there, whole."""
        try:
            meta = await obstore.head_async(self._store, result.path)
        except FileNotFoundError:
            return False
        except (BaseError, OSError) as error:
            raise _unavailable() from error
        return meta["size"] == result.size

    async def read(self, result: StoredResult) -> AsyncIterator[bytes]:
        """The bytes of `result`, in pieces."""
        for start in range(0, result.size, _STEP_BYTES):
            end = min(start + _STEP_BYTES, result.size)
            try:
                chunk = bytes(await obstore.get_range_async(self._store, result.path, start=start, end=end))
            except (BaseError, OSError) as error:
                raise _unavailable() from error
            if len(chunk) != end - start:
                raise _unavailable()
            yield chunk

    async def delete(self, claim: Claim) -> None:
        """Delete all that the holders of `claim` have stored, also before a crash; not what a later holder stores."""
        try:
            async for page in obstore.list(self._store, claim.id):
                paths = [meta["path"] for meta in page if int(meta["path"].split("/")[-2]) <= claim.fence]
                await obstore.delete_async(self._store, paths)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise _unavailable() from error


def _sync(path: Path) -> None:
    """Force a file and the names that lead to it to the disk."""
    for each in (path, *path.parents[:3]):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _unavailable() -> StoreUnavailableError:
    return StoreUnavailableError("results_unavailable", "The store of results does not answer.")

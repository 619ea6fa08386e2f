"""Inputs and results of jobs: a local folder, or an object store by URL."""

import asyncio
import contextlib
import logging
import os
import re
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store, from_url

from server.errors import StoreUnavailableError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig  # No names of the module that runs.

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 1024 * 1024
_STEP_BYTES = 4 * _CHUNK_BYTES  # A read's step: few requests to a remote store. obstore's own stream is slow on files.
_LONGEST_LINK = timedelta(days=7)  # S3 signs for no longer.
# A job waits for its store, so that a short trouble is sat out; but not the minutes that obstore would by itself.
_CLIENT: "ClientConfig" = {
    "timeout": timedelta(seconds=60),
    "connect_timeout": timedelta(seconds=5),
    "allow_http": True,
}
_RETRIES: "RetryConfig" = {"max_retries": 4, "retry_timeout": timedelta(seconds=20)}
# The parts of obstore's messages that show no address: addresses of some stores carry their key.
_HARMLESS = re.compile(r"status code: \d{3}|\(os error \d+\)|kind: [A-Z]\w+")

_CONTENT_TYPES = {
    "jpg": "image/jpeg",
    "mp4": "video/mp4",
    "png": "image/png",
    "webm": "video/webm",
    "webp": "image/webp",
    "zip": "application/zip",
}

_RemoteStore = S3Store | GCSStore | AzureStore


class JobStore:
    """Files by path, written whole or not at all. What was written is on the disk, or in the remote store's hands."""

    def __init__(self, url: str) -> None:
        """`url`: file:///FOLDER, s3://BUCKET/PREFIX, gs://… or az://…; keys from their usual environment variables.

        Raises ValueError where it cannot be used; its text shows nothing of the URL but the scheme.
        """
        scheme, separator, _ = url.partition("://")
        try:
            self._folder = Path(unquote(urlsplit(url).path)) if scheme == "file" else None
            self._store = _open_remote(url) if self._folder is None else LocalStore(self._folder, mkdir=True)
        except (BaseError, OSError, ValueError):  # Its text shows the whole URL, and a URL may hold a key.
            kind = scheme if separator else "a place without a scheme"
            raise ValueError(
                f"jobs cannot be kept in {kind}: use file:///FOLDER, s3://BUCKET/PREFIX, gs:// or az://"
            ) from None

    @property
    def remote(self) -> bool:
        """Whether it lies elsewhere, so that callers can be sent there."""
        return self._folder is None

    async def put_file(self, path: str, source: Path) -> None:
        """Store the file `source`, whole or not at all; replaces what was there. Raises StoreUnavailableError.

        A remote store hands it out as what its ending says, to be saved under the last part of `path`.
        """
        try:
            if self._folder is None:
                await obstore.put_async(self._store, path, source, attributes=_attributes(path))
            else:
                await obstore.put_async(self._store, path, source)
                # obstore leaves a local file to the system's cache, and the job is about to be accepted.
                await asyncio.to_thread(_sync, self._folder, path)
        except (BaseError, OSError) as error:
            _fail("take", path, error)

    async def get_to_file(self, path: str, target: Path) -> None:
        """Write a file to `target`. Raises FileNotFoundError, StoreUnavailableError."""
        size = await self._size(path)
        if size is None:
            raise FileNotFoundError(path)
        with target.open("wb") as file:
            async for chunk in self.open_range(path, 0, size):
                await asyncio.to_thread(file.write, chunk)

    async def open_range(self, path: str, offset: int, length: int) -> AsyncIterator[bytes]:
        """The `length` bytes of a file from `offset`, in chunks of at most 1 MiB.

        Raises FileNotFoundError, StoreUnavailableError, the latter also where there are fewer.
        """
        end = offset + length
        for start in range(offset, end, _STEP_BYTES):
            content = memoryview(await self._read(path, start, min(start + _STEP_BYTES, end)))
            for position in range(0, len(content), _CHUNK_BYTES):
                yield bytes(content[position : position + _CHUNK_BYTES])

    async def exists(self, path: str) -> bool:
        """Whether there is a file at `path`. Raises StoreUnavailableError."""
        return await self._size(path) is not None

    async def delete_prefix(self, prefix: str) -> None:
        """Delete all files below `prefix`, which ends with `/`. None is no error. Raises StoreUnavailableError."""
        if not prefix.endswith("/") or prefix.startswith("/") or ".." in prefix:
            raise ValueError(f"{prefix!r} is no prefix to delete")
        try:
            if self._folder is not None:
                await asyncio.to_thread(_remove, self._folder, prefix)
                return
            async for page in obstore.list(self._store, prefix):
                await obstore.delete_async(self._store, [meta["path"] for meta in page])
        except FileNotFoundError:
            return  # Somebody else was faster.
        except (BaseError, OSError) as error:
            _fail("delete", prefix, error)

    async def list_paths(self, prefix: str) -> AsyncIterator[str]:
        """The paths of all files below `prefix`, in any order; of a local write that was interrupted too."""
        try:
            if self._folder is not None:
                for path in await asyncio.to_thread(_list, self._folder, prefix):
                    yield path
                return
            async for page in obstore.list(self._store, prefix):
                for meta in page:
                    yield meta["path"]
        except (BaseError, OSError) as error:
            _fail("list", prefix, error)

    async def link(self, path: str, seconds: float) -> str | None:
        """Where a file can be fetched from without asking us, for so long; a local file cannot."""
        if not isinstance(self._store, _RemoteStore):
            return None
        expires = min(timedelta(seconds=max(1, int(seconds))), _LONGEST_LINK)
        try:
            return await obstore.sign_async(self._store, "GET", path, expires)
        except (BaseError, OSError) as error:
            _fail("sign", path, error)

    async def _size(self, path: str) -> int | None:
        try:
            return (await obstore.head_async(self._store, path))["size"]
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            _fail("find", path, error)

    async def _read(self, path: str, start: int, end: int) -> bytes:
        try:
            content = bytes(await obstore.get_range_async(self._store, path, start=start, end=end))
        except FileNotFoundError:
            raise FileNotFoundError(path) from None  # Without the address that obstore shows.
        except (BaseError, OSError) as error:
            _fail("read", path, error)
        if len(content) != end - start:
            raise _unavailable()
        return content


def _open_remote(url: str) -> _RemoteStore:
    store = from_url(url, client_options=_CLIENT, retry_config=_RETRIES)
    if not isinstance(store, _RemoteStore):
        message = "it is no store that lasts"
        raise ValueError(message)
    return store


def _attributes(path: str) -> dict[str, str]:
    name = path.rpartition("/")[2]
    return {
        "Content-Type": _CONTENT_TYPES.get(name.rpartition(".")[2], "application/octet-stream"),
        "Content-Disposition": f"attachment; filename={name}",
        "Cache-Control": "no-cache",
    }


def _sync(folder: Path, path: str) -> None:
    """Force a file and the names that lead to it to the disk."""
    file = folder / path
    for each in (file, *takewhile(lambda parent: parent != folder.parent, file.parents)):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove(folder: Path, prefix: str) -> None:
    removed = folder / prefix
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(removed)
    with contextlib.suppress(OSError):  # At the first that still holds something.
        for parent in takewhile(lambda each: each != folder, removed.parents):
            parent.rmdir()


def _list(folder: Path, prefix: str) -> list[str]:
    walk = os.walk(folder / prefix, onerror=_raise_unless_gone)
    return [str(Path(inside, name).relative_to(folder)) for inside, _, names in walk for name in names]


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # Deleted while we looked.
        raise error


def _fail(verb: str, path: str, error: Exception) -> NoReturn:
    known = _HARMLESS.findall(str(error))
    logger.warning("the store of jobs did not %s %s: %s %s", verb, path, type(error).__name__, ", ".join(known))
    raise _unavailable() from None  # What obstore says shows the whole address.


def _unavailable() -> StoreUnavailableError:
    return StoreUnavailableError("The store of jobs does not answer.")

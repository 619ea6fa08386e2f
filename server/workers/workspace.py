"""The server's folders, in shared memory and on the disk: the bytes of work in flight, which must not outlive it."""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - it is shared memory that is wanted
NAME = re.compile(r"clearcanvas-\d+-[a-z0-9_]+$")


@dataclass(frozen=True)
class RequestFiles:
    """The files of one request."""

    source: Path  # the encoded picture as it came
    target: Path  # the encoded result
    source_fd: int  # `source`, open for writing; its user closes it
    background: Path | None = None  # another encoded picture, to be laid behind
    background_fd: int | None = None  # the same for it


class Workspace:
    """A folder `clearcanvas-<pid>-<token>`, readable by its owner alone.

    It is locked (flock) while its server lives. The lock, and not the pid in the name, says whether it is
    abandoned: several containers that share one Triton's memory have servers of the same pid.
    """

    def __init__(self, base: Path = SHARED_MEMORY) -> None:
        """Sweep what dead servers left in `base`, which is made where it is missing, then make the folder."""
        base.mkdir(parents=True, exist_ok=True)
        sweep(base)
        # Locked before it gets its final name: another server that sweeps must never find it free.
        unnamed = Path(tempfile.mkdtemp(prefix=".clearcanvas-", dir=base))
        self._lock = _try_lock(unnamed)
        token = unnamed.name.removeprefix(".clearcanvas-")
        self.root = unnamed.rename(base / f"clearcanvas-{os.getpid()}-{token}")
        self._numbers = count()

    @property
    def name(self) -> str:
        """The folder's name; everything else the server has in shared memory begins with it and a hyphen."""
        return self.root.name

    @contextmanager
    def request(self, *, background: bool = False) -> Iterator[RequestFiles]:
        """Give one request its files, with one for a second picture if asked for, and remove them when it is over,
        however it ends."""
        number = next(self._numbers)
        source, target, behind = (self.root / f"{number}-{name}" for name in ("in", "out", "behind"))
        try:
            # Opened here, so that a write that goes on in a thread after the request was cancelled makes no new file.
            files = RequestFiles(source, target, _created(source))
            yield _with_background(files, behind) if background else files
        finally:
            for path in (source, target, behind):
                path.unlink(missing_ok=True)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder until the end of the block."""
        folder = self.root / f"{next(self._numbers)}"
        folder.mkdir(0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Remove the folder and everything named after it."""
        _remove(self.root)
        if self._lock is not None:
            os.close(self._lock)


def sweep(base: Path) -> None:
    """Remove from `base` the folders, and the segments named after them, of servers that are dead."""
    for folder in base.glob("clearcanvas-*-*/"):
        if NAME.match(folder.name) and (lock := _try_lock(folder)) is not None:
            _remove(folder)
            os.close(lock)


def _with_background(files: RequestFiles, behind: Path) -> RequestFiles:
    try:
        return replace(files, background=behind, background_fd=_created(behind))
    except OSError:
        os.close(files.source_fd)
        raise


def _created(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _try_lock(folder: Path) -> int | None:
    """The descriptor that holds the lock of `folder`, or None when somebody else does or it is gone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _remove(folder: Path) -> None:
    for segment in folder.parent.glob(f"{folder.name}-*"):
        segment.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)

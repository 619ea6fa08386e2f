"""Evidence of what a program touches: Linux tells who watches a file (inotify) that it was opened."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_IN_OPEN_OR_ACCESS, _IN_NONBLOCK = 0x20 | 0x01, os.O_NONBLOCK  # <sys/inotify.h>


class Watched:
    """A file that is watched; `touched` says whether anybody has opened or read it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def touched(self) -> bool:
        try:
            return bool(os.read(self._descriptor, 4096))
        except BlockingIOError:
            return False


@contextmanager
def watched(path: Path) -> Iterator[Watched]:
    """Watch a file."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(_IN_NONBLOCK)
    try:
        assert libc.inotify_add_watch(descriptor, os.fsencode(path), _IN_OPEN_OR_ACCESS) >= 0
        yield Watched(descriptor)
    finally:
        os.close(descriptor)

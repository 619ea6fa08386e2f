"""What a worker gives back of the memory that a picture needed."""

import ctypes
import threading
from collections.abc import Callable

SETTLE_S = 0.2
"""libvips' threads free their last buffers, some 8 MB, just after the picture is done: by then they have."""


def trim() -> None:
    """Return what the C library has freed and keeps. Of several arenas it would shorten the main one alone."""
    ctypes.CDLL(None).malloc_trim(0)


class FreedMemory:
    """Freed memory goes back between two pictures, and stays while one is in work."""

    def __init__(self, give_back: Callable[[], None] = trim, settle_s: float = SETTLE_S) -> None:
        self._give_back, self._settle_s = give_back, settle_s
        self._later: threading.Timer | None = None

    def keep(self) -> None:
        """A picture begins: it would fetch again what was given back now."""
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def release(self) -> None:
        """A picture is done: a worker would keep 100 MB of what it needed; fetching it again costs the next 30 ms."""
        self.keep()
        self._give_back()
        self._later = threading.Timer(self._settle_s, self._give_back)
        self._later.daemon = True
        self._later.start()

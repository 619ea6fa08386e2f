"""What the tests of the pool run in a worker."""

import ctypes
import os
import time
from pathlib import Path

from server.errors import InvalidImageError
from server.workers.limits import WorkerLimits


def add(left: int, right: int) -> int:
    return left + right


def pid() -> int:
    return os.getpid()


def nothing() -> None:
    pass


def pid_after(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def crash() -> None:
    os.abort()


def spin(marker: Path) -> None:
    """A wait in C, where no Python signal handler runs."""
    marker.write_text(str(os.getpid()))
    libc = ctypes.PyDLL(None)
    libc.pause()  # With PyDLL the interpreter's lock is held meanwhile.


def sleep(seconds: float, marker: Path) -> None:
    marker.write_text(str(os.getpid()))
    time.sleep(seconds)


def allocate(size: int) -> int:
    return len(bytearray(size))


def refuse() -> None:
    raise InvalidImageError("not a picture", {"offset": "3"})


def break_a_rule() -> None:
    raise ZeroDivisionError("a bug")


def burn_cpu(marker: Path) -> None:
    marker.write_text(str(os.getpid()))
    while True:
        pass


def burn_for(limits: WorkerLimits, cpu_s: float) -> None:
    limits.begin_task()
    end = time.process_time() + cpu_s
    while time.process_time() < end:
        pass


def write_file(path: Path, size: int) -> None:
    path.write_bytes(bytes(size))


def environment() -> str:
    return Path("/proc/self/environ").read_text() + repr(dict(os.environ))


def unpicklable() -> object:
    return lambda: None


class UnreadableError(Exception):
    """Pickles, and cannot be read back: unpickling calls it with one argument."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


def raise_what_cannot_be_read() -> None:
    raise UnreadableError("text", 1)

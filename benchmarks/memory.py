"""Memory of a process and all its descendants, as the kernel counts it."""

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_SHM = Path("/dev/shm")  # noqa: S108 - the kernel's own place for shared memory, not a temporary folder.
_INTERVAL_S = 0.2
_GONE = (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError)


@dataclass
class Peak:
    """The most that was seen, in bytes.

    `total`: PSS of the whole tree plus its files in /dev/shm; what a process maps of those counts twice, so this is an
    upper bound. `parts`: what that consists of, by program. `worker`: resident memory of the largest single process
    below the one whose command holds the word given to `watch`, as the kernel's own high-water mark, which no sampling
    misses; it counts shared pages in full.
    """

    total: int = 0
    worker: int = 0
    parts: dict[str, int] = field(default_factory=dict)


def own(pid: int) -> int:
    """Bytes of `pid` and its descendants, without the pages of program files.

    The share of those that PSS counts depends on who else on the machine runs the same programs.
    """
    return sum(_parts(pid, "Pss_Anon:", "Pss_Shmem:").values())


@contextlib.contextmanager
def watch(pid: int, worker_of: str | None = None) -> Iterator[Peak]:
    """Watches the tree of `pid` from a thread, five times a second, while the block runs."""
    peak, stop = Peak(), threading.Event()

    def sample() -> None:
        while not stop.wait(_INTERVAL_S):
            parts = _parts(pid, "Pss:")
            if sum(parts.values()) > peak.total:
                peak.total, peak.parts = sum(parts.values()), parts
            if worker_of is not None:
                marks = [_field(worker.pid, "status", "VmHWM:") for worker in _below(pid, worker_of)]
                peak.worker = max(peak.worker, *marks, 0)

    thread = threading.Thread(target=sample, name="memory", daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def _parts(pid: int, *names: str) -> dict[str, int]:
    """The sum of these fields of smaps_rollup by program, and the tree's files in /dev/shm; bytes."""
    parts: Counter[str] = Counter()
    tree = _tree(pid)
    for process in tree:
        with contextlib.suppress(*_GONE):
            parts[_program(process.cmdline())] += _field(process.pid, "smaps_rollup", *names)
    parts["shared files"] = _shared_files({process.pid for process in tree})
    return dict(parts)


def _program(words: list[str]) -> str:
    """`python -m engine` is the engine; what Python's multiprocessing starts are the server's workers."""
    if "-m" in words:
        return words[words.index("-m") + 1]
    return "workers" if any("multiprocessing" in word for word in words) else Path(words[0]).name if words else "ended"


def _tree(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(*_GONE):
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    return []


def _below(pid: int, word: str) -> list[psutil.Process]:
    for process in _tree(pid):
        with contextlib.suppress(*_GONE):
            if word in process.cmdline():
                return process.children(recursive=True)
    return []


def _field(pid: int, file: str, *names: str) -> int:
    """The sum of lines such as `Pss:  1234 kB` of /proc/<pid>/<file>, in bytes; 0 for a process that is gone."""
    with contextlib.suppress(*_GONE):
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(names))
    return 0


def _shared_files(pids: set[int]) -> int:
    """Bytes in the stack's files in /dev/shm, whose names carry the pid of the process that made them."""
    size = 0
    for path in _SHM.glob("clearcanvas-*"):
        if not pids & {int(part) for part in path.name.split("-") if part.isdecimal()}:
            continue
        for file in path.rglob("*") if path.is_dir() else [path]:
            with contextlib.suppress(FileNotFoundError):
                size += file.stat().st_blocks * 512
    return size

"""What a worker process may use, and what it may know."""

import ctypes
import os
import resource
import signal
from dataclasses import dataclass

PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4  # <linux/prctl.h>
NICENESS = 5
JOB_NICENESS = 10  # Who waits for an answer goes before who will ask for it later.

# What a worker is told of the environment: where programs and locale are, nothing of its server's settings.
ALLOWED = frozenset(
    {"HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH", "TMPDIR", "TZ"}
    | {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "VIRTUAL_ENV"}
)

# One thread for BLAS and OpenMP, which the pixel code hardly uses and whose idle pools cost memory in every
# worker; one allocator arena, because malloc_trim cuts the free end off the main one alone: what libvips' threads
# had in another stayed, 5 to 20 MB of it by chance.
FIXED = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


def scrub_environment() -> None:
    """Reduce this process's environment to what its future children may see.

    Called in the server before the fork server starts: what a child inherits at exec stays readable in its
    `/proc/<pid>/environ` for its whole life, so cleaning up in the child would be too late. What this process itself
    inherited stays readable there as well: it is closed, with its memory, to other processes of its user.
    """
    _prctl(PR_SET_DUMPABLE, 0)
    threads = {"VIPS_CONCURRENCY": str(len(os.sched_getaffinity(0)))}
    for name in os.environ.keys() - ALLOWED:
        del os.environ[name]
    os.environ.update(FIXED | threads)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies. Raises OSError when it refuses."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


@dataclass(frozen=True)
class WorkerLimits:
    """Limits of one worker process. Going over one ends the worker, or the task with MemoryError or OSError."""

    address_space: int  # bytes of virtual memory
    file_size: int  # bytes of one written file
    cpu_s: int  # seconds of processor time a task
    niceness: int = NICENESS

    def apply(self) -> None:
        """Limit the calling process for its whole life."""
        resource.setrlimit(resource.RLIMIT_AS, (self.address_space, self.address_space))
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.file_size, self.file_size))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # A core file holds somebody's picture.
        # When every processor is busy, the server's event loop goes first: it only takes milliseconds, and the
        # surplus must hear at once that it is refused.
        os.nice(self.niceness)
        # Pebble's own handler runs between Python instructions only: a worker deep in C would outlive SIGTERM by
        # three seconds, in which Pebble waits for it.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        die_with_parent()

    def begin_task(self) -> None:
        """Give the calling process `cpu_s` from now; beyond it the kernel sends SIGXCPU, which ends it."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        used_s = int(usage.ru_utime + usage.ru_stime)
        resource.setrlimit(resource.RLIMIT_CPU, (used_s + 1 + self.cpu_s, resource.RLIM_INFINITY))

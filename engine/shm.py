"""Shared memory: enough of it before Triton starts, and none of Triton's left when it has ended."""

import os
import shutil
from pathlib import Path

import psutil

from engine.errors import EngineError

SHM = Path("/dev/shm")  # noqa: S108 - not a temporary folder: where POSIX shared memory lives.
SHM_PREFIX = "clearcanvas-triton-"


def shm_prefix() -> str:
    """What the names of our Triton's shared-memory regions begin with; it names this engine, so that others know."""
    return f"{SHM_PREFIX}{os.getpid()}-"


def sweep_shm(folder: Path = SHM) -> None:
    """Remove the regions that our own Triton, or that of an engine which is gone, left behind."""
    for region in folder.glob(f"{SHM_PREFIX}*"):
        owner = region.name.removeprefix(SHM_PREFIX).partition("-")[0]
        if owner.isdecimal() and (int(owner) == os.getpid() or not psutil.pid_exists(int(owner))):
            region.unlink(missing_ok=True)


def check_shm(minimum_mib: int, folder: Path = SHM) -> None:
    """Make sure that shared memory is large enough: with too little, Triton looks ready and every request fails.

    Raises:
        EngineError: Less than `minimum_mib` MiB are free.
    """
    free_mib = shutil.disk_usage(folder).free >> 20
    if free_mib < minimum_mib:
        message = f"{folder} has {free_mib} MiB free, {minimum_mib} are needed: in a container, raise --shm-size"
        raise EngineError(message)

"""Shared memory: enough before the start, nothing of ours left after the end, nobody else's touched."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.shm import check_shm, sweep_shm


def test_sweeps_its_own_regions_and_those_of_the_dead(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    parent = os.getppid()
    doomed = [f"clearcanvas-triton-{os.getpid()}-a", f"clearcanvas-triton-{ended.pid}-b"]
    kept = [
        f"clearcanvas-triton-{parent}-c",
        "clearcanvas-triton-strange",
        "clearcanvas-1-2-in",
        "triton_python_region",
    ]
    for name in (*doomed, *kept):
        (tmp_path / name).touch()

    sweep_shm(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == set(kept)


def test_too_little_shared_memory_is_refused_with_the_remedy(tmp_path: Path) -> None:
    free_mib = shutil.disk_usage(tmp_path).free >> 20
    with pytest.raises(EngineError, match="--shm-size"):
        check_shm(free_mib + 10_000, tmp_path)


def test_enough_shared_memory_is_accepted(tmp_path: Path) -> None:
    check_shm(1, tmp_path)

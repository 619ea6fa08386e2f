"""Traps of Triton that no single function guards: what must not be used, not be committed, and fit together."""

import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[3]


def test_the_backend_keeps_away_from_dlpack() -> None:
    # It works with numpy 2 alone and crashes the stub with 1.26.
    sources = list((ROOT / "engine" / "backend").rglob("*.py"))
    assert sources
    assert [path for path in sources if "dlpack" in path.read_text().lower()] == []


@pytest.mark.parametrize("path", [".triton/lib/libtriton.so", "data/engine/backends/python/libtriton_python.so"])
def test_what_the_wheel_bundles_is_never_committed(path: str) -> None:
    assert subprocess.run(["/usr/bin/env", "git", "check-ignore", "-q", path], cwd=ROOT, check=False).returncode == 0


def test_generated_code_is_no_newer_than_the_protobuf_that_tritonclient_allows() -> None:
    generated = sorted((ROOT / "proto" / "gen").rglob("*_pb2.py"))
    assert generated
    runtime = Version(version("protobuf"))
    assert runtime < Version("7")
    for path in generated:
        found = re.search(r"^# Protobuf Python Version: (\S+)$", path.read_text(), re.MULTILINE)
        assert found, path
        assert Version(found[1]) <= runtime, path

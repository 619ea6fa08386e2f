"""A server that cannot keep jobs says so in one line, which shows no password, and ends."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.processes import free_address, module


@pytest.mark.case("O1")
@pytest.mark.parametrize(
    ("setting", "url", "said"),
    [
        ("JOBS", "nonsense:canary-31c4", "the URL of the jobs cannot be read"),
        ("JOBS", "postgresql+psycopg://user:canary-31c4@127.0.0.1:1/jobs", "cannot keep jobs"),
        ("STORE", "ftp://user:canary-31c4@host/path", "jobs cannot be kept in ftp"),
    ],
)
def test_jobs_that_cannot_be_kept_are_a_plain_error(setting: str, url: str, said: str, tmp_path: Path) -> None:
    settings = {"CLEARCANVAS_GRPC": free_address(), "CLEARCANVAS_DATA": str(tmp_path), f"CLEARCANVAS_{setting}": url}
    ended = subprocess.run(
        module("server"), env=os.environ | settings, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "canary-31c4" not in ended.stderr

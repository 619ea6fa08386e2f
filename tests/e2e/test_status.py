"""`clearcanvas status`: the stack at a glance, found by its data folder."""

import json
import os
import re
import subprocess
from pathlib import Path

import aiohttp
import pytest

from tests.support.processes import free_address, module
from tests.support.stack import RunningStack


def status(*arguments: str) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLEARCANVAS_")}
    done = subprocess.run(
        module("cli", "status", *arguments),
        env=environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def test_a_stack_that_serves_is_shown_from_its_folder(stack: RunningStack) -> None:
    code, said = status("--data", str(stack.log.parent / "data"))

    assert code == 0, said
    for words in (
        rf"adapter +http://{stack.http} +ready",
        rf"server +{stack.grpc} +serving toy on cpu/",
        r"workers +\d+ of \d+ busy with calls, 0 wait; \d+ of \d+ busy with jobs",
        r"triton +127\.0\.0\.1:\d+ +serves",
        r"model +toy +toy@1 has 100 %",
        r"jobs +\d+ queued, \d+ running",
    ):
        assert re.search(words, said), said


def test_a_stack_that_is_not_there_is_said(tmp_path: Path) -> None:
    away = free_address()
    code, said = status(
        *("--data", str(tmp_path), "--http", away, "--grpc", away, "--server-metrics", away, "--adapter-metrics", away)
    )

    assert code == 1
    assert said.count("does not answer") == 2


@pytest.mark.case("O7")
async def test_the_public_port_shows_no_metrics_and_the_private_ones_are_this_machines(stack: RunningStack) -> None:
    places = json.loads((stack.log.parent / "data" / "stack.json").read_text())

    async with aiohttp.ClientSession() as session:
        for path in ("/metrics", "/debug", "/-/metrics"):
            async with session.get(stack.url(path)) as response:
                assert response.status == 404
    assert all(places[program].startswith("127.0.0.1:") for program in ("server", "adapter"))
    assert stack.http not in places["adapter"]

"""`clearcanvas up` as its user meets it: start, refusals, stop."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import psutil
import pytest

from tests.support.http import make_photo, post_photo
from tests.support.processes import SHARED_MEMORY, eventually, module, wait_until
from tests.support.slow_model import write_slow_model
from tests.support.stack import RunningStack, running_stack


@contextmanager
def watched_stack(repository: Path, model: str, folder: Path, triton_env: Path) -> Iterator[RunningStack]:
    """A stack; afterwards, none of its processes and nothing of theirs in shared memory is left."""
    with running_stack(repository, model, folder, {"CLEARCANVAS_TRITON_ENV": str(triton_env)}) as stack:
        programs = stack.programs()
        assert any(owned(program.pid) for program in programs)
        yield stack
    assert stack.process.returncode == 0
    assert not [program for program in programs if program.is_running()]
    assert not [name for program in programs for name in owned(program.pid)]


def owned(pid: int) -> list[str]:
    return [path.name for path in SHARED_MEMORY.glob("*clearcanvas-*") if str(pid) in path.name.split("-")]


def up(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = module("cli", "up", *map(str, arguments))
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )


async def test_a_stop_is_clean_and_a_second_stack_on_the_same_data_is_refused(
    toy_repository: Path, triton_env: Path, tmp_path: Path
) -> None:
    environment = {
        "CLEARCANVAS_TRITON_ENV": str(triton_env),
        "CLEARCANVAS_MODEL_REPOSITORY": str(toy_repository),
        "CLEARCANVAS_MODEL": "toy",
    }
    with watched_stack(toy_repository, "toy", tmp_path, triton_env) as stack:
        async with aiohttp.ClientSession() as session:
            assert (await post_photo(session, stack, make_photo())).status == 200
        second = up("--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--data", tmp_path / "data", **environment)
        assert second.returncode == 1
        assert f"in use by process {stack.process.pid}" in second.stderr
        occupied = up("--http", stack.http, "--grpc", "127.0.0.1:0", "--data", tmp_path / "other", **environment)
        assert occupied.returncode == 1
        assert f"{stack.http} cannot be used for HTTP" in occupied.stderr


@pytest.mark.case("H15")
@pytest.mark.case("H16")
async def test_a_stop_under_load_says_not_ready_and_loses_nothing_in_flight(triton_env: Path, tmp_path: Path) -> None:
    write_slow_model(tmp_path / "repository", layers=4)
    with watched_stack(tmp_path / "repository", "slow", tmp_path, triton_env) as stack:
        async with aiohttp.ClientSession() as session:
            photo = make_photo()
            pictures = [asyncio.create_task(post_photo(session, stack, photo)) for _ in range(4)]
            await eventually(lambda: stack.requests_in_flight() == 4, "four pictures are in work")
            stack.process.send_signal(signal.SIGTERM)
            ready = 200
            while ready == 200:
                async with session.get(stack.url("/ready")) as response:
                    ready = response.status
            assert ready == 503
            assert stack.requests_in_flight() > 0
            assert [answer.status for answer in await asyncio.gather(*pictures)] == [200] * 4
        await eventually(lambda: stack.process.poll() is not None, "the stack is gone", 10)


def test_a_program_that_dies_ends_the_stack_by_name(toy_repository: Path, triton_env: Path, tmp_path: Path) -> None:
    with running_stack(toy_repository, "toy", tmp_path, {"CLEARCANVAS_TRITON_ENV": str(triton_env)}) as stack:
        programs = stack.programs()
        server = stack.find("server")
        server.kill()
        wait_until(lambda: stack.process.poll() is not None, "the stack is gone", 10)
        assert stack.process.returncode == 1
        assert "error: server was killed by SIGKILL" in stack.log.read_text()
    assert not [program for program in programs if program.is_running()]
    assert not owned(server.pid)


def test_the_death_of_up_itself_leaves_no_process_and_the_next_start_clears_its_memory(
    toy_repository: Path, triton_env: Path, tmp_path: Path
) -> None:
    environment = {"CLEARCANVAS_TRITON_ENV": str(triton_env)}
    with running_stack(toy_repository, "toy", tmp_path, environment, "--devnet") as stack:
        programs = stack.programs()
        assert sum(program.name() == "anvil" for program in programs) == 2
        stack.process.kill()
        psutil.wait_procs(programs, timeout=10)
        assert not [program for program in programs if program.is_running()]
    with running_stack(toy_repository, "toy", tmp_path, environment):
        assert not [name for program in programs for name in owned(program.pid)]


@pytest.mark.parametrize(
    ("missing", "command"),
    [
        ("CLEARCANVAS_TRITON_ENV", "python -m engine install"),
        ("CLEARCANVAS_MODEL_REPOSITORY", "clearcanvas models pull"),
    ],
)
def test_what_is_missing_is_named_with_the_command_that_brings_it(
    toy_repository: Path, triton_env: Path, tmp_path: Path, missing: str, command: str
) -> None:
    environment = {
        "CLEARCANVAS_TRITON_ENV": str(triton_env),
        "CLEARCANVAS_MODEL_REPOSITORY": str(toy_repository),
        "CLEARCANVAS_MODEL": "toy",
        missing: str(tmp_path / "missing"),
    }
    result = up("--data", tmp_path / "data", **environment)
    assert result.returncode == 1
    assert command in result.stderr


def test_a_malformed_address_is_named(toy_repository: Path, triton_env: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)):
        result = up("--http", "nonsense", "--data", tmp_path / "data", CLEARCANVAS_TRITON_ENV=str(triton_env))
    assert result.returncode == 1

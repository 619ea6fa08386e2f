"""The keeper of child processes, with small programs of our own as the children."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cli.programs import Program, ProgramExitedError, Programs
from tests.support.processes import wait_until

# Says who it is, and at SIGTERM appends its name to a file and ends.
POLITE = """
import signal, sys, time
def stop(*_):
    open(sys.argv[2], "a").write(sys.argv[1] + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("this is", sys.argv[1], flush=True)
time.sleep(60)
"""
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)


def program(name: str, code: str, *arguments: str, stop_by_s: float = 5) -> Program:
    return Program(name, (sys.executable, "-c", code, *arguments), os.environ, stop_by_s)


async def printed(capfd: pytest.CaptureFixture[str], *lines: str) -> str:
    text = ""
    while not all(line in text for line in lines):
        text += capfd.readouterr().err
        await asyncio.sleep(0.02)
    return text


async def test_programs_stop_from_the_last_to_the_first(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    order = tmp_path / "order"
    names = ("engine", "server", "adapter")
    async with Programs(sys.stderr) as programs:
        for name in names:
            await programs.start(program(name, POLITE, name, str(order)))
        await printed(capfd, *(f"{name:>7} | this is {name}\n" for name in names))
    assert order.read_text().split() == ["adapter", "server", "engine"]


async def test_a_program_that_ends_is_named_with_its_status() -> None:
    engine, server = program("engine", POLITE, "engine", os.devnull), program("server", "exit(3)")
    async with Programs(sys.stderr) as both:
        await both.start(engine, server)
        with pytest.raises(ProgramExitedError, match=r"^server exited with status 3$"):
            await both.until_exit()


async def test_a_program_that_is_killed_is_named_with_the_signal() -> None:
    async with Programs(sys.stderr) as programs:
        await programs.start(program("server", "import os; os.kill(os.getpid(), 9)"))
        with pytest.raises(ProgramExitedError, match=r"^server was killed by SIGKILL$"):
            await programs.until_exit()


async def test_a_deaf_program_is_killed_and_what_it_left_is_removed(capfd: pytest.CaptureFixture[str]) -> None:
    before = {child.pid for child in psutil.Process().children()}
    async with Programs(sys.stderr) as programs:
        await programs.start(program("server", STUBBORN, stop_by_s=0.2))
        await printed(capfd, " server | deaf\n")
        (child,) = [child for child in psutil.Process().children() if child.pid not in before]
        segment = Path(f"/dev/shm/clearcanvas-{child.pid}-1-in")
        segment.touch()
    assert not psutil.pid_exists(child.pid)
    assert not segment.exists()
    assert "server did not stop in time and is killed" in capfd.readouterr().err


async def test_each_program_sees_its_own_environment_alone(capfd: pytest.CaptureFixture[str]) -> None:
    code = "import os; print(*sorted(name for name in os.environ if name.startswith('OURS')))"
    environment = {"PATH": os.environ["PATH"]}
    async with Programs(sys.stderr) as programs:
        for name in ("engine", "server"):
            command = (sys.executable, "-c", code)
            await programs.start(Program(name, command, environment | {f"OURS_{name}": "x"}, stop_by_s=5))
        await printed(capfd, " engine | OURS_engine\n", " server | OURS_server\n")


async def test_long_lines_and_odd_bytes_come_through(capfd: pytest.CaptureFixture[str]) -> None:
    code = "import sys, time; sys.stdout.buffer.write(b'x' * 200000 + b'\\n\\xff\\nend'); sys.stdout.flush()"
    async with Programs(sys.stderr) as programs:
        await programs.start(program("engine", code))
        text = await printed(capfd, " engine | end\n")
    assert f" engine | {'x' * 200000}\n engine | \N{REPLACEMENT CHARACTER}\n" in text


def test_programs_do_not_outlive_their_keeper(tmp_path: Path) -> None:
    code = f"""
import asyncio, os, sys
from cli.programs import Program, Programs
async def main():
    async with Programs(sys.stderr) as programs:
        await programs.start(Program("server", ({sys.executable!r}, "-c", {STUBBORN!r}), os.environ, 5))
        await asyncio.sleep(60)
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) as keeper:
        assert keeper.stderr is not None
        assert keeper.stderr.readline() == " server | deaf\n"
        (child,) = psutil.Process(keeper.pid).children()
        keeper.send_signal(signal.SIGKILL)
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, "the child is gone", 5)

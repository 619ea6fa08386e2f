"""`python -m devnet` as a program: its start, its end, and the end of a chain."""

import os
import subprocess
from pathlib import Path

import psutil

from tests.support.devnet import running_devnet
from tests.support.processes import module, wait_until


def anvils(process: psutil.Process) -> list[psutil.Process]:
    return [child for child in process.children(recursive=True) if child.name() == "anvil"]


def test_a_stop_leaves_no_chain_and_no_file(tmp_path: Path) -> None:
    with running_devnet(tmp_path) as devnet:
        chains = anvils(devnet.process)
        assert len(chains) == 2
    assert not [chain for chain in chains if chain.is_running()]
    assert [path.name for path in tmp_path.iterdir()] == ["devnet.log"]


def test_the_chains_die_with_their_keeper(tmp_path: Path) -> None:
    with running_devnet(tmp_path) as devnet:
        chains = anvils(devnet.process)
        devnet.process.kill()
        psutil.wait_procs(chains, timeout=10)
        assert not [chain for chain in chains if chain.is_running()]


def test_a_chain_that_ends_is_named_and_ends_the_other(tmp_path: Path) -> None:
    with running_devnet(tmp_path) as devnet:
        chains = anvils(devnet.process)
        next(chain for chain in chains if "tempo" in chain.cmdline()).kill()
        wait_until(lambda: devnet.process.status() == psutil.STATUS_ZOMBIE, "the devnet has ended", 10)
        assert "the chain tempo has ended with status -9" in (tmp_path / "devnet.log").read_text()
    assert not [chain for chain in chains if chain.is_running()]


def test_without_an_installation_the_error_names_the_command(tmp_path: Path) -> None:
    environment = os.environ | {"CLEARCANVAS_DEVNET_ENV": str(tmp_path / "missing")}
    command = module("devnet", "--data", str(tmp_path))
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert "run: python -m devnet install" in result.stderr

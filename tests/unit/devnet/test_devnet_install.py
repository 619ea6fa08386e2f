import json
import re
import shutil
from pathlib import Path

import pytest

from devnet.errors import DevnetError
from devnet.install import SOURCES, anvil_program, check_machine, install, is_current
from tests.support.npm_package import Npm


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    """An npm of our own, beside the real setpriv, and no other program."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("setpriv", "sh", "mkdir", "touch"):
        (programs / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", str(programs))
    return Npm(programs, tmp_path / "calls")


def test_the_lock_is_installed_without_running_any_script_and_once(npm: Npm, tmp_path: Path) -> None:
    npm.does("mkdir -p node_modules/@foundry-rs/anvil-linux-amd64/bin")
    root = tmp_path / "devnet"
    install(root)
    install(root)
    assert npm.called() == ["ci --omit=dev --ignore-scripts --no-audit --no-fund --no-update-notifier"]
    assert [(root / source.name).read_bytes() for source in SOURCES] == [source.read_bytes() for source in SOURCES]
    assert anvil_program(root).is_relative_to(root)


def test_an_installation_that_failed_is_begun_again(npm: Npm, tmp_path: Path) -> None:
    root = tmp_path / "devnet"
    npm.does("exit 1")
    with pytest.raises(DevnetError, match=r"installing \S+ failed: npm ci"):
        install(root)
    assert not is_current(root)
    with pytest.raises(DevnetError, match="run: python -m devnet install"):
        anvil_program(root)
    npm.does("exit 0")
    install(root)
    assert is_current(root)


def test_without_npm_the_error_says_what_it_is_part_of(npm: Npm, tmp_path: Path) -> None:
    with pytest.raises(DevnetError, match=r"npm, part of Node\.js, is needed"):
        install(tmp_path / "devnet")


@pytest.mark.parametrize("machine", [("Darwin", "arm64"), ("Linux", "aarch64"), ("Windows", "AMD64")])
def test_a_machine_that_the_chains_do_not_run_on_is_named(machine: tuple[str, str]) -> None:
    with pytest.raises(DevnetError, match=f"run on Linux x86_64; this is {machine[0]} {machine[1]}"):
        check_machine(*machine)


def test_the_lock_pins_every_package_by_hash_and_names_no_place_to_fetch_it_from() -> None:
    lock = json.loads(SOURCES[1].read_text())
    packages = {name: facts for name, facts in lock["packages"].items() if name}
    assert packages["node_modules/@foundry-rs/anvil-linux-amd64"]["version"] == "1.7.1"
    for name, facts in packages.items():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", facts["integrity"]), name
        assert "resolved" not in facts, name

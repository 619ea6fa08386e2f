"""Puts the chains' program into a folder of its own, by npm, pinned and hash-checked."""

import hashlib
import logging
import platform
import shutil
import subprocess
from pathlib import Path

from devnet.errors import DevnetError

logger = logging.getLogger(__name__)

SOURCES = (Path(__file__).with_name("package.json"), Path(__file__).with_name("package-lock.json"))
MARKER = "clearcanvas-devnet.sha256"
MACHINE = ("Linux", "x86_64")
"""The only one that the lock has a program for."""


def anvil_program(root: Path) -> Path:
    """The path of anvil in `root`.

    Raises:
        DevnetError: It is not there, or of another version than the lock names.
    """
    if not is_current(root):
        message = f"the local chains are not installed in {root}; run: python -m devnet install"
        raise DevnetError(message)
    return root.absolute() / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"


def install(root: Path) -> None:
    """Make `root` hold exactly the packages of the lock; do nothing where it does already.

    No script of a package is run. The marker is written last, so an interrupted installation is begun again.

    Raises:
        DevnetError: There is no npm, npm failed, or the chains do not run on this kind of machine.
    """
    if is_current(root):
        logger.info("%s is up to date", root)
        return
    check_machine(platform.system(), platform.machine())
    for program, package in (("npm", "npm, part of Node.js"), ("setpriv", "setpriv, part of util-linux")):
        if shutil.which(program) is None:
            message = f"{package}, is needed for the local chains and not installed"
            raise DevnetError(message)
    logger.info("installing the local chains into %s", root)
    root.mkdir(parents=True, exist_ok=True)
    for source in SOURCES:
        shutil.copyfile(source, root / source.name)
    command = ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    if subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, check=False).returncode != 0:
        message = f"installing {root} failed: {' '.join(command)}"
        raise DevnetError(message)
    (root / MARKER).write_text(_digest())


def is_current(root: Path) -> bool:
    """Whether `root` was made, to the end, from this lock."""
    marker = root / MARKER
    return marker.exists() and marker.read_text() == _digest()


def check_machine(system: str, machine: str) -> None:
    """Refuse a machine that the chains' program is not made for.

    Raises:
        DevnetError: It is not Linux on x86-64.
    """
    if (system, machine) != MACHINE:
        message = f"the local chains run on {' '.join(MACHINE)}; this is {system} {machine}"
        raise DevnetError(message)


def _digest() -> str:
    return hashlib.sha256(b"".join(source.read_bytes() for source in SOURCES)).hexdigest()

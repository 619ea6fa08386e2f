"""Makes Triton's own virtual environment, pinned and hash-checked, apart from the application's."""

import hashlib
import logging
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from engine.errors import EngineError

logger = logging.getLogger(__name__)

LOCK = Path(__file__).with_name("requirements.lock")
MARKER = "clearcanvas-engine.sha256"
PYTHONS = ((3, 11), (3, 12))
"""numpy below 2, which this Triton's stub needs, has wheels for these; Triton has stubs for 3.8 to 3.13."""


def install(root: Path, lock: Path = LOCK) -> None:
    """Make `root` a virtual environment with exactly the packages of `lock`; do nothing where it is one already.

    The marker is written last, so an interrupted installation is begun again.

    Raises:
        EngineError: This Python cannot host Triton's stub, or pip failed.
    """
    if is_current(root, lock):
        logger.info("%s is up to date", root)
        return
    check_python(sys.version_info[:2], shared=bool(sysconfig.get_config_var("Py_ENABLE_SHARED")))
    if shutil.which("setpriv") is None:
        message = "setpriv is not installed: it is part of util-linux"
        raise EngineError(message)
    logger.info("making Triton's environment in %s", root)
    pip = [str(root / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(root)],
        [*pip, "--require-hashes", "--no-deps", "--only-binary=:all:", "-r", str(lock)],
    ):
        if subprocess.run(command, check=False).returncode != 0:
            message = f"installing {root} failed: {' '.join(command)}"
            raise EngineError(message)
    (root / MARKER).write_text(_digest(lock))


def is_current(root: Path, lock: Path = LOCK) -> bool:
    """Whether `root` was made, to the end, from this lock."""
    marker = root / MARKER
    return marker.exists() and marker.read_text() == _digest(lock)


def check_python(version: tuple[int, int], *, shared: bool) -> None:
    """Refuse a Python that Triton's stub cannot run in.

    Raises:
        EngineError: Its version has no numpy below 2, or it has no shared libpython.
    """
    if version not in PYTHONS:
        known = " or ".join(f"{major}.{minor}" for major, minor in PYTHONS)
        message = f"this is Python {version[0]}.{version[1]}, Triton's environment needs {known}"
        raise EngineError(message)
    if not shared:
        message = (
            "this Python has no shared libpython, which Triton's stub loads: use the system's, or build one with "
            "--enable-shared (pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install 3.11)"
        )
        raise EngineError(message)


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()

"""Makes Triton's own virtual environment, pinned and hash-checked, apart from the application's."""

import hashlib
import logging
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Collection
from pathlib import Path

from engine.errors import EngineError
from engine.models.extras import EXTRAS, MARKERS, installed_extras

logger = logging.getLogger(__name__)

LOCK = Path(__file__).with_name("requirements.lock")
MARKER = "clearcanvas-engine.sha256"
PYTHONS = ((3, 11), (3, 12))
"""numpy below 2, which this Triton's stub needs, has wheels for these; Triton has stubs for 3.8 to 3.13."""


def install(root: Path, lock: Path = LOCK, extras: Collection[str] = ()) -> None:
    """Make `root` a virtual environment with exactly the packages of `lock` and of `extras`, the names in
    `engine.models.extras`, and of the extras that were there before; do nothing where it is one already.

    Each marker is written last, so an interrupted installation is begun again.

    Raises:
        EngineError: There is no such extra, this Python cannot host Triton's stub, or pip failed.
    """
    if unknown := set(extras) - EXTRAS.keys():
        message = f"{', '.join(sorted(unknown))} is not known; what there is: {', '.join(EXTRAS)}"
        raise EngineError(message)
    wanted = set(extras) | (installed_extras(root) & EXTRAS.keys())
    if is_current(root, lock):
        logger.info("%s is up to date", root)
    else:
        check_python(sys.version_info[:2], shared=bool(sysconfig.get_config_var("Py_ENABLE_SHARED")))
        if shutil.which("setpriv") is None:
            message = "setpriv is not installed: it is part of util-linux"
            raise EngineError(message)
        logger.info("making Triton's environment in %s", root)
        _run(root, [sys.executable, "-m", "venv", "--clear", str(root)])
        _pip(root, lock)
        (root / MARKER).write_text(_digest(lock))
    for extra in sorted(wanted):
        _install_extra(root, extra)


def _install_extra(root: Path, extra: str) -> None:
    locks = [LOCK.with_name(name) for name in EXTRAS[extra]]
    marker, digest = root / MARKERS.format(extra), _digest(*locks)
    if marker.exists() and marker.read_text() == digest:
        logger.info("%s is up to date in %s", extra, root)
        return
    logger.info("installing %s into %s", extra, root)
    marker.unlink(missing_ok=True)
    for lock in locks:
        _pip(root, lock)
    marker.write_text(digest)


def _pip(root: Path, lock: Path) -> None:
    pip = [str(root / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
    _run(root, [*pip, "--require-hashes", "--no-deps", "--only-binary=:all:", "-r", str(lock)])


def _run(root: Path, command: list[str]) -> None:
    if subprocess.run(command, check=False).returncode != 0:
        message = f"installing {root} failed: {' '.join(command)}"
        raise EngineError(message)


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


def _digest(*locks: Path) -> str:
    return hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()

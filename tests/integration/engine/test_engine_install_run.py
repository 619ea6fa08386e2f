"""Making Triton's own environment, with the real venv and pip but an empty lock."""

from hashlib import sha256
from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.install import MARKER, install, is_current


@pytest.fixture
def empty_lock(tmp_path: Path) -> Path:
    """A lock that asks for nothing, so that pip has nothing to fetch."""
    lock = tmp_path / "requirements.lock"
    lock.write_text("# nothing\n")
    return lock


def test_makes_an_environment_and_marks_it_last(tmp_path: Path, empty_lock: Path) -> None:
    root = tmp_path / "env"
    install(root, empty_lock)
    assert (root / "bin" / "python").exists()
    assert (root / MARKER).read_text() == sha256(empty_lock.read_bytes()).hexdigest()


def test_a_whole_environment_is_left_alone(tmp_path: Path, empty_lock: Path) -> None:
    root = tmp_path / "env"
    root.mkdir()
    (root / MARKER).write_text(sha256(empty_lock.read_bytes()).hexdigest())
    install(root, empty_lock)
    assert not (root / "bin").exists()


def test_an_interrupted_or_outdated_environment_is_made_anew(tmp_path: Path, empty_lock: Path) -> None:
    root = tmp_path / "env"
    leftover = root / "lib" / "half-a-package"
    leftover.mkdir(parents=True)
    (root / MARKER).write_text("another lock")
    install(root, empty_lock)
    assert is_current(root, empty_lock)
    assert not leftover.exists()


def test_a_package_without_its_hash_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("six==1.17.0\n")
    with pytest.raises(EngineError, match="installing"):
        install(tmp_path / "env", lock)
    assert not is_current(tmp_path / "env", lock)

"""Triton's own environment: only where it can work, and of pinned packages alone."""

import pytest

from engine.errors import EngineError
from engine.install import LOCK, check_python


@pytest.mark.parametrize("version", [(3, 10), (3, 13)])
def test_a_python_without_numpy_1_is_refused(version: tuple[int, int]) -> None:
    with pytest.raises(EngineError, match=r"3\.11 or 3\.12"):
        check_python(version, shared=True)


def test_a_python_without_a_shared_library_is_refused_with_a_way_out() -> None:
    with pytest.raises(EngineError, match="--enable-shared"):
        check_python((3, 11), shared=False)


@pytest.mark.parametrize("version", [(3, 11), (3, 12)])
def test_a_python_that_can_is_accepted(version: tuple[int, int]) -> None:
    check_python(version, shared=True)


def test_the_lock_pins_numpy_below_2_and_a_hash_for_every_package() -> None:
    lines = LOCK.read_text().splitlines()
    packages = [line for line in lines if "==" in line]
    assert any(line.startswith("numpy==1.") for line in packages)
    assert all(line.endswith("\\") for line in packages)
    assert not any("://" in line for line in lines)

"""Triton's own environment: only where it can work, and of pinned packages alone."""

from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.install import LOCK, check_python, install
from engine.models.extras import EXTRAS, MARKERS, installed_extras


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


def test_an_extra_that_there_is_not_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="diffusion-cpu, diffusion-cuda"):
        install(tmp_path / "venv", extras=["diffusion"])
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_locks_of_an_extra_pin_hashes_and_move_nothing_of_the_base(extra: str) -> None:
    base = pinned(LOCK)
    for name in EXTRAS[extra]:
        lines = LOCK.with_name(name).read_text().splitlines()
        assert all(line.endswith("\\") for line in lines if "==" in line)
        assert not any("://" in line for line in lines)
        versions = pinned(LOCK.with_name(name))
        assert {package: versions[package] for package in versions.keys() & base.keys()} == {
            package: base[package] for package in versions.keys() & base.keys()
        }


def test_the_packages_for_a_cpu_bring_no_cuda() -> None:
    for name in EXTRAS["diffusion-cpu"]:
        assert not [package for package in pinned(LOCK.with_name(name)) if package.startswith(("nvidia", "cuda"))]


def test_a_model_asks_for_an_extra_whatever_it_was_built_for(tmp_path: Path) -> None:
    assert installed_extras(tmp_path) == frozenset()
    (tmp_path / MARKERS.format("diffusion-cuda")).write_text("")
    assert installed_extras(tmp_path) == {"diffusion", "diffusion-cuda"}


def pinned(lock: Path) -> dict[str, str]:
    """The version of each package of a lock."""
    lines = (line.split(" ")[0].split("==") for line in lock.read_text().splitlines() if "==" in line)
    return dict(lines)

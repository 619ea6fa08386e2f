"""A network from anyone, imported by the command and served by the real engine: no code is written for it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from cards.check import check_hashes
from cli.models import repository as models
from tests.integration.engine.engine_process import RunningEngine, running_engine
from tests.support.exports import EXPORTS, SIDE, Export

SECOND = EXPORTS["logits"]  # Imported as version 2 of another one: they share a size, and nothing else.
ROUNDING = 2  # Of 255: where the CPU has bf16, networks are computed in it.


def bring(repository: Path, export: Export, file: Path, *words: str) -> None:
    """`clearcanvas models import`, which must succeed."""
    arguments = ["import", str(export.save(file)), *words, *export.arguments(), "--repository", str(repository)]
    result = CliRunner().invoke(models.app, arguments)
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def engine(triton_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    """An engine that serves every kind of export, each under its own name."""
    folder = tmp_path_factory.mktemp("exports")
    repository = folder / "models"
    for name, export in EXPORTS.items():
        bring(repository, export, folder / f"{name}.onnx", "--name", name)
    bring(repository, SECOND, folder / "second.onnx", "--name", "nchw-float", "--version", "2")
    assert check_hashes(repository) == []
    with running_engine(repository, triton_env, folder) as engine:
        yield engine


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    return np.random.default_rng(6).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


@pytest.mark.parametrize("name", EXPORTS)
def test_every_usual_shape_is_served_with_its_own_answer(
    engine: RunningEngine, picture: NDArray[np.uint8], name: str
) -> None:
    alpha = engine.infer(picture[None], name)
    assert alpha.shape == (1, SIDE, SIDE)
    assert np.abs(alpha[0] - EXPORTS[name].expected(picture)).max() <= ROUNDING


def test_another_export_is_served_beside_it_as_its_second_version(
    engine: RunningEngine, picture: NDArray[np.uint8]
) -> None:
    engine.load_versions("nchw-float", [1, 2])
    for version, export in (("1", EXPORTS["nchw-float"]), ("2", SECOND)):
        alpha = engine.infer(picture[None], "nchw-float", version)
        assert np.abs(alpha[0] - export.expected(picture)).max() <= ROUNDING

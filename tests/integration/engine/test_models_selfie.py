"""The people model as it is served, against what LiteRT 2.3, Google's own interpreter, makes of the published file."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from numpy.typing import NDArray
from PIL import Image

from cards.check import check_hashes
from cards.render import render_card
from cards.target import Target
from engine.models.errors import SourceError
from engine.models.pull import pull
from engine.models.sources import SELFIE
from server.triton.model import TritonClient, TritonOptions
from tests.integration.engine.engine_process import RunningEngine, running_engine
from tests.support.cards import unmeasured

TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of its own with the model pulled into it: from the user's cache, or by npm into that cache."""
    repository = tmp_path_factory.mktemp("pulled-selfie")
    try:
        pull(SELFIE, repository, platformdirs.user_cache_path("clearcanvas"), lambda _: None)
    except SourceError as error:
        pytest.skip(str(error))
    return repository


@pytest.fixture(scope="module")
def engine(pulled: Path, triton_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    """An engine that serves this model and no other."""
    with running_engine(pulled, triton_env, tmp_path_factory.mktemp("selfie")) as running:
        yield running


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    photo = Image.open(TESTS / "photos" / "astronaut.png").convert("RGB")
    return np.asarray(photo.resize((256, 144), Image.Resampling.BILINEAR))


def test_a_pull_gives_the_committed_card_and_weights(pulled: Path) -> None:
    assert check_hashes(pulled) == []
    committed = TESTS.parent / "model_repository" / "selfie"
    assert render_card(unmeasured(pulled / "selfie")) == render_card(unmeasured(committed))


@pytest.mark.parametrize("prefix", [None, "clearcanvas-selfie-test"], ids=["by message", "by shared memory"])
def test_triton_answers_as_the_published_file_does(
    engine: RunningEngine, picture: NDArray[np.uint8], prefix: str | None
) -> None:
    golden = np.asarray(Image.open(TESTS / "golden" / "astronaut_selfie.png")).astype(int)
    client = TritonClient(TritonOptions(engine.address, timeout_s=30, region_prefix=prefix), os.getpid())
    matte = client.model(Target("selfie"), time.monotonic() + 30).infer(picture)
    assert np.abs(matte.alpha.astype(int) - golden).max() <= 1
    assert matte.device == "cpu/onnxruntime/f32"

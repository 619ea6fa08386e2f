"""ISNet as it is served, against the network as its authors' weights come: the fold must change nothing that shows."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import platformdirs
import pytest
from PIL import Image

from engine.models.card import WEIGHTS_FILE
from engine.models.check import check_hashes
from engine.models.sources import ISNET

PHOTO = Path(__file__).parents[2] / "photos" / "chelsea.png"


@pytest.fixture(scope="module")
def original() -> Path:
    """The network as it was published, fp16, from the cache that a pull leaves."""
    path = platformdirs.user_cache_path("clearcanvas") / f"isnet-{ISNET.weights_sha256[:16]}.onnx"
    if not path.exists():
        pytest.skip(f"{path} is not there; run: clearcanvas models pull isnet")
    return path


def test_the_pulled_weights_are_those_of_the_committed_card(isnet_repository: Path) -> None:
    assert check_hashes(isnet_repository) == []


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

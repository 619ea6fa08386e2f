"""The golden set: its truth is what its pictures are made from."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.samples import read_mask, read_samples
from tools.golden.pictures import PICTURES, compose

GOLDEN = Path(__file__).parents[3] / "golden"
SAMPLES = {sample.name: sample for sample in read_samples(GOLDEN)}


def test_it_holds_every_picture_and_is_small() -> None:
    assert SAMPLES.keys() == PICTURES.keys()
    assert sum(path.stat().st_size for path in GOLDEN.rglob("*") if path.is_file()) < 1_500_000


@pytest.mark.parametrize("name", ["cup", "plant"])
def test_a_committed_picture_and_its_mask_are_what_is_painted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN.parent)
    sample, (picture, truth) = SAMPLES[name], compose(PICTURES[name])

    mask = read_mask(sample.mask)
    with Image.open(sample.image) as opened:
        committed = np.asarray(opened.convert("RGB"), np.float32)

    # Another processor may round differently; JPEG loses a few levels.
    assert np.abs(mask.astype(np.float32) - truth).max() <= 1
    assert np.abs(committed - picture).mean() < 4


@pytest.mark.parametrize("name", SAMPLES)
def test_every_mask_has_background_subject_and_a_soft_edge(name: str) -> None:
    mask = read_mask(SAMPLES[name].mask)

    assert mask.min() == 0
    assert mask.max() == 255
    assert 0.001 < np.mean((mask > 0) & (mask < 255)) < 0.2
    assert 0.05 < np.mean(mask > 127) < 0.7

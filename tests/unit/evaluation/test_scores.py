"""Scores against what can be worked out by hand, and against what must hold for any measure."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.errors import EvaluationError
from evaluation.matting import gradient_error
from evaluation.scores import Score, mean_score, score, score_files

Bytes = NDArray[np.uint8]


def disc(radius: float = 30, softness: float = 4, size: int = 128) -> Bytes:
    rows, columns = np.mgrid[:size, :size]
    distance = np.hypot(rows - size / 2, columns - size / 2)
    return np.asarray(np.rint(np.clip((radius - distance) / softness + 0.5, 0, 1) * 255), np.uint8)


def test_the_truth_itself_is_perfect() -> None:
    truth = np.where(disc() > 127, 255, 0).astype(np.uint8)

    found = score(truth, truth)

    assert (found.mae, found.sad, found.mse, found.gradient) == (0, 0, 0, 0)
    assert (found.s_measure, found.e_measure, found.weighted_f) == pytest.approx((1, 1, 1), abs=0.005)


def test_errors_of_alpha_are_those_worked_out_by_hand() -> None:
    truth, alpha = np.zeros((100, 200), np.uint8), np.zeros((100, 200), np.uint8)
    alpha[:, :50] = 51  # A fifth too much on a quarter of the picture.

    found = score(alpha, truth)

    assert found.mae == pytest.approx(0.05)
    assert found.mse == pytest.approx(0.01)
    assert found.sad == pytest.approx(1.0)  # 5,000 pixels × 0.2, in thousands.


def test_an_empty_truth_has_scores() -> None:
    nothing = np.zeros((64, 64), np.uint8)

    found = score(nothing, nothing)

    assert (found.mae, found.s_measure, found.weighted_f) == (0, 1, 0)


def test_every_measure_falls_as_a_matte_is_blurred() -> None:
    truth = disc(softness=1)
    found = [score(np.asarray(cv2.GaussianBlur(truth, (0, 0), sigma), np.uint8), truth) for sigma in (1, 4, 12)]

    for name in ("mae", "sad", "mse", "gradient"):
        assert [getattr(one, name) for one in found] == sorted(getattr(one, name) for one in found)
    for name in ("s_measure", "e_measure", "weighted_f"):
        assert [getattr(one, name) for one in found] == sorted((getattr(one, name) for one in found), reverse=True)


def test_a_faded_matte_is_not_forgiven() -> None:
    """The papers' own code stretches a matte to 0–1 before it looks; to a picture's opacity that would be blind."""
    truth = np.where(disc() > 127, 255, 0).astype(np.uint8)

    faded = score(truth // 2, truth)

    assert faded.s_measure < 0.95
    assert faded.weighted_f < 0.8


def test_the_gradient_error_is_that_of_a_step() -> None:
    """Across a step of one, the unit filter answers with sums of its own coefficients, which are worked out here."""
    place = np.arange(-4, 5)
    gauss = np.exp(-(place**2) / (2 * 1.4**2))
    smooth, slope = gauss / np.linalg.norm(gauss), -place * gauss / np.linalg.norm(place * gauss)
    steps = smooth.sum() * np.array([slope[:n].sum() for n in range(10)])
    step = np.repeat(np.repeat([[0.0, 1.0]], 40, axis=1), 50, axis=0)

    assert gradient_error(step, np.zeros_like(step)) == pytest.approx(50 * (steps**2).sum() / 1000)


def test_sizes_that_differ_are_refused_with_the_name_of_the_file(tmp_path: Path) -> None:
    for name, size in (("a.png", (10, 20)), ("m.png", (10, 30))):
        cv2.imwrite(str(tmp_path / name), np.zeros(size, np.uint8))

    with pytest.raises(EvaluationError, match=r"m\.png: The matte is 20×10 instead of 30×10"):
        score_files(tmp_path / "a.png", tmp_path / "m.png")


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")

    with pytest.raises(EvaluationError, match=r"a\.png is no picture"):
        score_files(tmp_path / "a.png", tmp_path / "a.png")
    with pytest.raises(EvaluationError, match=r"cannot be read: No such file"):
        score_files(tmp_path / "b.png", tmp_path / "a.png")


def test_a_mean_is_that_of_each_figure() -> None:
    assert mean_score([Score(0, 2, 0, 4, 1, 1, 0), Score(1, 4, 0, 0, 0, 1, 1)]) == Score(0.5, 3, 0, 2, 0.5, 1, 0.5)

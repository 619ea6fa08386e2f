"""How far one matte is from the truth, as the papers on segmentation and matting measure it."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import EvaluationError
from evaluation.matting import gradient_error, mean_absolute, mean_squared, sum_of_differences
from evaluation.samples import read_mask

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Score:
    """Of one matte, or the mean over several.

    `mae`, `mse`: mean absolute and mean squared error of alpha, 0 (equal) to 1. `sad`: sum of absolute differences, in
    thousands of pixels. `gradient`: gradient error, in thousands. `s_measure`, `e_measure`, `weighted_f`: structure,
    enhanced-alignment and weighted F-measure, 0 to 1 (equal), against the truth at a threshold of one half.
    """

    mae: float
    sad: float
    mse: float
    gradient: float
    s_measure: float
    e_measure: float
    weighted_f: float


def score(alpha: Bytes, truth: Bytes) -> Score:
    """Hold a matte against the truth; both (H, W) uint8, 0 background, 255 subject.

    The first call in a process imports SciPy and scikit-image: 2 s and 100 MB; for it, call this in a worker.

    S-measure: Fan et al. 2017. E-measure: Fan et al. 2018, the mean over all thresholds. Weighted F-measure: Margolin
    et al. 2014, 0 where the truth is empty. All three by py_sod_metrics. Unlike the code of those papers, alpha is not
    stretched to 0–1 before: a subject that a model leaves half transparent is an error.

    Raises:
        EvaluationError: the sizes differ.
    """
    from py_sod_metrics import Emeasure, Smeasure, WeightedFmeasure  # noqa: PLC0415 - heavy, and servers import this.

    if alpha.shape != truth.shape:
        sizes = " instead of ".join(f"{shape[1]}×{shape[0]}" for shape in (alpha.shape, truth.shape))
        raise EvaluationError(f"The matte is {sizes} pixels.")
    found, true = alpha / 255, truth / 255
    structure, alignment, weighted = Smeasure(), Emeasure(), WeightedFmeasure()
    for measure in (structure, alignment, weighted):
        measure.step(found, truth > 127, normalize=False)
    return Score(
        mae=mean_absolute(found, true),
        sad=sum_of_differences(found, true),
        mse=mean_squared(found, true),
        gradient=gradient_error(found, true),
        s_measure=float(structure.get_results()["sm"]),
        e_measure=float(alignment.get_results()["em"]["curve"].mean()),
        weighted_f=float(weighted.get_results()["wfm"]),
    )


def score_files(alpha: Path, mask: Path) -> Score:
    """Hold an encoded matte against an encoded mask; see `score`.

    Raises:
        EvaluationError: one of them cannot be read, or the sizes differ.
    """
    try:
        return score(read_mask(alpha), read_mask(mask))
    except EvaluationError as error:
        raise EvaluationError(f"{mask}: {error}") from error


def mean_score(scores: Iterable[Score]) -> Score:
    """The mean of each figure; `scores` is not empty."""
    return Score(*(float(value) for value in np.mean([astuple(one) for one in scores], axis=0)))

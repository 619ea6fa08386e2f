"""A contact sheet of cases: what was shown, what is true, what was answered, and where the two differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.errors import EvaluationError
from evaluation.samples import Sample, read_mask
from evaluation.scores import Score

Bytes = NDArray[np.uint8]

_CELL = 320  # Pixels that a picture may be wide or high.
_LABEL, _GAP = 26, 4  # Pixels of the line below, and between pictures.
_PAPER, _INK = 255, 60
_HEADINGS = "picture", "truth", "matte", "red: lacks, blue: too much"


@dataclass(frozen=True)
class Case:
    """One answer. `matte`: (H, W) uint8, 0 background, 255 subject."""

    sample: Sample
    matte: Bytes
    score: Score


def write_sheet(cases: Sequence[Case], path: Path) -> None:
    """Write a picture with a row for each of `cases` to `path`, in the form its name says.

    Raises:
        EvaluationError: a picture of a case cannot be read, or the sheet cannot be written.
    """
    if not cv2.imwrite(str(path), lay_out(cases)):
        raise EvaluationError(f"{path} cannot be written.")


def lay_out(cases: Sequence[Case]) -> Bytes:
    """The sheet, (H, W, 3) uint8 in OpenCV's order B, G, R. `cases` is not empty.

    Raises:
        EvaluationError: a picture of a case cannot be read.
    """
    rows = [row for case in cases for row in (_row(case), _label(case))]
    return np.concatenate([_headings(), *rows])


def _row(case: Case) -> Bytes:
    picture = cv2.imread(str(case.sample.image), cv2.IMREAD_COLOR)
    if picture is None:
        raise EvaluationError(f"{case.sample.image} cannot be read.")
    truth, matte = read_mask(case.sample.mask), case.matte
    lacking = np.clip(truth.astype(np.int16) - matte, 0, 255)
    extra = np.clip(matte.astype(np.int16) - truth, 0, 255)
    difference = np.stack([255 - lacking, 255 - np.maximum(lacking, extra), 255 - extra], 2)
    pictures = (np.asarray(picture, np.uint8), _grey(truth), _grey(matte), difference.astype(np.uint8))
    return np.concatenate([_cell(one) for one in pictures], axis=1)


def _cell(picture: Bytes) -> Bytes:
    """The picture, no larger than a cell, with paper around it; as high as the others of its row."""
    height, width = picture.shape[:2]
    ratio = min(_CELL / max(height, width), 1)
    size = max(round(width * ratio), 1), max(round(height * ratio), 1)
    cell = np.full((size[1], _CELL + _GAP, 3), _PAPER, np.uint8)
    left = (_CELL - size[0]) // 2
    cell[:, left : left + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return cell


def _grey(alpha: Bytes) -> Bytes:
    return np.repeat(alpha[..., None], 3, axis=2)


def _label(case: Case) -> Bytes:
    found = case.score
    text = (
        f"{case.sample.name}:  MAE {found.mae:.4f}  SAD {found.sad:.2f}  gradient {found.gradient:.2f}  "
        f"S {found.s_measure:.3f}  E {found.e_measure:.3f}  weighted F {found.weighted_f:.3f}"
    )
    return _line([(4, text)])


def _headings() -> Bytes:
    return _line([(4 + number * (_CELL + _GAP), text) for number, text in enumerate(_HEADINGS)])


def _line(texts: Sequence[tuple[int, str]]) -> Bytes:
    line = np.full((_LABEL, len(_HEADINGS) * (_CELL + _GAP), 3), _PAPER, np.uint8)
    for left, text in texts:
        place = left, _LABEL - 9
        cv2.putText(line, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (_INK,) * 3, 1, cv2.LINE_AA)
    return line

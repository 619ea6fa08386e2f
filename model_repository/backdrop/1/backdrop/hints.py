"""What a picture and its mask say about the background that would suit it: where the subject stands, its light."""

import cv2
import numpy as np
from numpy.typing import NDArray

from backdrop.colour import LUMA
from backdrop.stage import Hints

_SIDE = 64
"""Pixels are enough: hints are coarse on purpose, so that a few pixels of matte do not move the horizon."""
_STEPS = 16
_CUT = 0.97
"""A subject that reaches lower than this is cut off by the picture's edge, and stands nowhere in it."""


def hints_of(image: NDArray[np.uint8], mask: NDArray[np.uint8]) -> Hints:
    """Read `image` (H, W, 3) sRGB and `mask` (H, W), 255 where the background is to be generated."""
    subject = cv2.resize(mask, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) < 128
    if not subject.any() or subject.all():
        return Hints()
    lowest = (int(np.flatnonzero(subject.any(axis=1))[-1]) + 1) / _SIDE
    foot = None if lowest > _CUT else round(lowest * _STEPS) / _STEPS
    small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    luma = (small / np.float32(255)) ** 2 @ LUMA
    columns = np.broadcast_to(np.arange(_SIDE), subject.shape)[subject]
    left = columns < np.median(columns)
    values = luma[subject]
    if left.all() or not left.any():
        return Hints(foot)
    contrast = (values[~left].mean() - values[left].mean()) / (values.mean() + 1e-3)
    # Within a fifth the subject's own colours say more than its light.
    return Hints(foot, None if abs(contrast) < 0.2 else float(np.sign(contrast)) * 0.8)

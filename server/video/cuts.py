"""Where a video shows something else from one frame to the next."""

import cv2
import numpy as np
from numpy.typing import NDArray

from server.video.flow import Floats, carried

Bytes = NDArray[np.uint8]

_BINS = 32
_SIDE = (64, 36)  # what is alike at this size is alike


def is_cut(before: Bytes, now: Bytes, back: Floats) -> bool:
    """Return whether there is a cut between two frames.

    `before`, `now`: (h, w) uint8 luma. `back`: flow from `now` to `before`. There is one where neither the flow makes
    the one of the other (structure), nor the levels of luma are spread alike (histogram). The first alone is a fast
    pan or a flash, the second alone a change of light.
    """
    explained = likeness(now, carried(before, back))
    if explained > _SAME_STRUCTURE:
        return False
    return explained < _OTHER_STRUCTURE or overlap(before, now) < _SAME_LEVELS


_SAME_STRUCTURE = 0.7
_OTHER_STRUCTURE = 0.25
_SAME_LEVELS = 0.75


def likeness(one: Bytes, other: Bytes) -> float:
    """Return the correlation of two pictures of luma, -1 to 1; two even pictures are as alike as their levels."""
    a, b = (cv2.resize(each, _SIDE, interpolation=cv2.INTER_AREA).astype(np.float64) for each in (one, other))
    a_mean, b_mean = a.mean(), b.mean()
    a, b = a - a_mean, b - b_mean
    spread = float(np.sqrt((a * a).mean() * (b * b).mean()))
    if spread < _EVEN:
        return 1.0 if abs(a_mean - b_mean) < _EVEN else 0.0
    return float((a * b).mean()) / spread


_EVEN = 4.0  # levels: a picture that varies by less shows nothing


def overlap(one: Bytes, other: Bytes) -> float:
    """Return what two histograms of luma have in common, 0 to 1."""
    a, b = (np.asarray(cv2.calcHist([each], [0], None, [_BINS], [0, 256]), np.float64) for each in (one, other))
    return float(np.minimum(a / a.sum(), b / b.sum()).sum())

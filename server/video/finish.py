"""Mattes of the working size, brought to full size along the frame's own edges.

As `server.image.refine` does it for pictures, and for their reasons: alpha = coarse + A · (luma - coarse luma), where A
is the slope of alpha over luma that a guided filter finds (He, Sun 2015, "Fast Guided Filter"). In a video, noise would
be seen as a flicker: differences of luma of its size do not count (coring). In most of a frame alpha is 0 or 255, so
all this is computed in those tiles alone where it is not.
"""

from collections.abc import Callable
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from server.image.box import Box
from server.image.refine import luma_slope
from server.video.tiles import grown, part, tiles
from server.video.watch import Seen

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Values = TypeVar("Values", Bytes, Floats)

Lines = Callable[[Floats, Floats], tuple[Floats, Floats]]
"""Luma and alpha to A and coarse alpha; all (h, w) float32 at the working size, luma and alphas 0 to 255."""

_REACH = np.ones((9, 9), np.uint8)  # how far from where alpha changes it may be drawn anew
_BESIDE = np.ones((3, 3), np.uint8)  # interpolation looks one pixel around
_CORE = 3.0  # deviations of noise that do not count as detail

_RADIUS = 4  # pixels of the working size: how far the small model's outline may be from the true one
_CONTRAST = np.float32(1.3)  # a guided filter leaves haze where the edge is weak
_HALF = np.float32(127.5)
_SIGHT = 2 * _RADIUS + 1  # pixels of the working size that a line depends on, in each direction
_EPSILON = np.float32(1e-3 * 255**2)  # variance of luma below which alpha does not follow it


def with_detail(luma: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    """Return lines through a good matte: what is finer than the working size is added to it."""
    return luma_slope(luma, alpha), alpha


def onto_edges(luma: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    """Return lines that draw a rough matte to the edges nearby."""
    window = (2 * _RADIUS + 1,) * 2

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.blur(values, window), np.float32)

    mean_luma, mean_alpha = mean(luma), mean(alpha)
    variance = mean(luma * luma) - mean_luma * mean_luma
    covariance = mean(luma * alpha) - mean_luma * mean_alpha
    slope = covariance / np.add(variance, _EPSILON, dtype=np.float32)
    offset = mean(mean_alpha - slope * mean_luma)
    slope = mean(slope)
    return slope * _CONTRAST, (slope * luma + offset - _HALF) * _CONTRAST + _HALF


def finished(seen: Seen, alpha: Floats, lines: Lines, noise: float) -> Bytes:
    """Return the matte at full size, (H, W) uint8, C-contiguous.

    `alpha`: (h, w) float32, 0 to 255, at the working size, which is the full one shrunk by a whole number. `noise`:
    standard deviation of luma that means nothing, in levels.
    """
    height, width = seen.frame.size
    factor = height // alpha.shape[0]
    coarse = np.asarray(np.rint(alpha), np.uint8)
    unsure = cv2.compare(cv2.dilate(coarse, _REACH), cv2.erode(coarse, _REACH), cv2.CMP_NE)
    full = np.ascontiguousarray(cv2.resize(coarse, (width, height)), np.uint8)
    core = _CORE * noise
    for box in tiles(cv2.dilate(unsure, _BESIDE) > 0):
        around = grown(box, _SIGHT, alpha.shape)
        luma, before = part(seen.luma, around), part(alpha, around)
        steep, drawn = lines(luma.astype(np.float32), before)
        sure = part(np.asarray(unsure, np.uint8), around) == 0
        steep[sure], drawn = 0, np.where(sure, before, drawn)
        inside = box.moved(-around.top, -around.left)
        target = Box(*(factor * length for length in (box.top, box.left, box.width, box.height)))
        detail = cv2.subtract(part(seen.frame.luma, target), _enlarged(luma, inside, factor), dtype=cv2.CV_32F)
        detail = cv2.subtract(detail, np.clip(detail, -core, core))
        product = cv2.multiply(_enlarged(steep, inside, factor), detail)
        cv2.add(product, _enlarged(drawn, inside, factor), part(full, target), dtype=cv2.CV_8U)
    return full


def _enlarged(values: Values, box: Box, factor: int) -> Values:
    """Return a part of `values` (h, w), enlarged by a whole number; the same as that part of the whole, enlarged."""
    around = grown(box, 1, values.shape)
    enlarged = cv2.resize(part(values, around), (around.width * factor, around.height * factor))
    down, across = (box.top - around.top) * factor, (box.left - around.left) * factor
    return np.asarray(enlarged[down : down + box.height * factor, across : across + box.width * factor], values.dtype)

"""Mattes of the working size, brought to full size along the frame's own edges.

As `server.image.refine` does it for pictures, and for their reasons: alpha = A · luma + B, where A is the slope of
alpha over luma that a guided filter finds (He, Sun 2015, "Fast Guided Filter"). In most of a frame alpha is 0 or 255,
so this is computed in those tiles alone where it is not.
"""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from server.image.box import Box
from server.image.refine import luma_slope
from server.video.watch import Seen

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

Lines = Callable[[Floats, Floats], tuple[Floats, Floats]]
"""(luma, alpha) to (A, B), all (H, W) float32, 0 to 255."""

_TILE = 32  # pixels of the working size
_REACH = np.ones((9, 9), np.uint8)

_RADIUS = 4  # pixels of the working size: how far the small model's outline may be from the true one
_CONTRAST = np.float32(1.3)  # a guided filter leaves haze where the edge is weak
_HALF = np.float32(127.5)
_EPSILON = np.float32(1e-3 * 255**2)  # variance of luma below which alpha does not follow it


def with_detail(luma: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    """Return lines through a good matte: what is finer than the working size is added to it."""
    slope = luma_slope(luma, alpha)
    return slope, alpha - slope * luma


def onto_edges(luma: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    """Return lines that draw a rough matte to the edges nearby."""
    window = (2 * _RADIUS + 1,) * 2

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.blur(values, window), np.float32)

    mean_luma, mean_alpha = mean(luma), mean(alpha)
    variance = mean(luma * luma) - mean_luma * mean_luma
    covariance = mean(luma * alpha) - mean_luma * mean_alpha
    slope = covariance / np.add(variance, _EPSILON, dtype=np.float32)
    offset = mean_alpha - slope * mean_luma
    return mean(slope) * _CONTRAST, mean(offset) * _CONTRAST - (_CONTRAST - 1) * _HALF


def finished(seen: Seen, alpha: Floats, lines: Lines) -> Bytes:
    """Return the matte at full size, (H, W) uint8, C-contiguous.

    `alpha`: (h, w) float32, 0 to 255, at the working size, which is the full one shrunk by a whole number.
    """
    height, width = seen.frame.size
    factor = height // alpha.shape[0]
    coarse = np.asarray(np.rint(alpha), np.uint8)
    full = np.ascontiguousarray(cv2.resize(coarse, (width, height)), np.uint8)
    slope, offset = lines(seen.luma.astype(np.float32), alpha)
    for box in tiles(_unsure(coarse)):
        rows, columns = slice(box.top * factor, box.bottom * factor), slice(box.left * factor, box.right * factor)
        product = cv2.multiply(_part(slope, box, factor), seen.frame.luma[rows, columns], dtype=cv2.CV_32F)
        full[rows, columns] = cv2.add(product, _part(offset, box, factor), dtype=cv2.CV_8U)
    return full


def tiles(where: NDArray[np.bool_]) -> Iterator[Box]:
    """Return boxes that hold all that is true in `where` (h, w), made of tiles, those side by side as one."""
    height, width = where.shape
    for top in range(0, height, _TILE):
        used = np.logical_or.reduceat(where[top : top + _TILE].any(axis=0), range(0, width, _TILE))
        edges = np.flatnonzero(np.diff(np.concatenate(([False], used, [False]))))
        for left, right in zip(edges[::2] * _TILE, edges[1::2] * _TILE, strict=True):
            yield Box(top, int(left), min(int(right), width) - int(left), min(top + _TILE, height) - top)


def _unsure(coarse: Bytes) -> NDArray[np.bool_]:
    return (cv2.dilate(coarse, _REACH) > 0) & (cv2.erode(coarse, _REACH) < 255)


def _part(values: Floats, box: Box, factor: int) -> Floats:
    """Return a part of `values` (h, w), enlarged by a whole number; the same as that part of the whole, enlarged."""
    height, width = values.shape
    top, left = max(0, box.top - 1), max(0, box.left - 1)
    part = values[top : min(height, box.bottom + 1), left : min(width, box.right + 1)]
    enlarged = cv2.resize(part, (part.shape[1] * factor, part.shape[0] * factor))
    down, across = (box.top - top) * factor, (box.left - left) * factor
    return np.asarray(enlarged[down : down + box.height * factor, across : across + box.width * factor], np.float32)

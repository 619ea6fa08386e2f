"""The parts of a frame in which there is something to be computed."""

from collections.abc import Iterator
from typing import TypeVar

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from server.image.box import Box

Values = TypeVar("Values", NDArray[np.uint8], NDArray[np.float32])
_SIDE = 32  # pixels of a tile


def tiles(where: NDArray[np.bool_]) -> Iterator[Box]:
    """Return boxes that hold all that is true in `where` (h, w), made of tiles, those side by side as one."""
    height, width = where.shape
    for top in range(0, height, _SIDE):
        used = np.logical_or.reduceat(where[top : top + _SIDE].any(axis=0), range(0, width, _SIDE))
        edges = np.flatnonzero(np.diff(np.concatenate(([False], used, [False]))))
        for left, right in zip(edges[::2] * _SIDE, edges[1::2] * _SIDE, strict=True):
            yield Box(top, int(left), min(int(right), width) - int(left), min(top + _SIDE, height) - top)


def grown(box: Box, by: int, size: tuple[int, int]) -> Box:
    """Return a box with so many pixels more on each side, as far as there are any in (height, width)."""
    top, left = max(0, box.top - by), max(0, box.left - by)
    return Box(top, left, min(size[1], box.right + by) - left, min(size[0], box.bottom + by) - top)


def part(values: Values, box: Box) -> Values:
    """Return what is in the box, not copied."""
    return values[box.top : box.bottom, box.left : box.right]


def held(where: MatLike) -> tuple[slice, slice] | None:
    """Return the rows and columns that hold all of `where`, (h, w) uint8, that is not 0; None where nothing is."""
    left, top, width, height = cv2.boundingRect(where)
    return (slice(top, top + height), slice(left, left + width)) if width else None

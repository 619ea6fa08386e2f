"""What is seen of the frames before anything is asked of a model: their luma at small sizes, motion, and cuts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import gcd

import cv2
import numpy as np
from numpy.typing import NDArray

from server.video.cuts import is_cut
from server.video.flow import Effort, Floats, flow_between
from server.video.frame import Frame

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Sight:
    """How closely frames are looked at.

    `working_side`: the larger side, about, at which mattes are carried and smoothed. `motion_side`: the one at which
    motion is looked for; motion is smooth, so that finer costs more and finds no more.
    """

    working_side: int
    motion_side: int
    effort: Effort


@dataclass(frozen=True, eq=False)
class Seen:
    """One frame, as it is seen.

    `luma`: (H, W) uint8 at the working size, 16 to 235. `small`: (h, w) uint8, the same at the size of flows. `back`:
    flow to the frame before; None in the first frame and after a cut, where nothing of the frames before is of use.
    `shot`: how many cuts there were before it.
    """

    frame: Frame
    luma: Bytes
    small: Bytes
    back: Floats | None
    shot: int


def watched(frames: Iterable[Frame], sight: Sight) -> Iterator[Seen]:
    """Look at the frames, in order, one at a time."""
    before: Bytes | None = None
    shot = 0
    for frame in frames:
        luma = shrunk(frame.luma, working_factor(frame.size, sight.working_side))
        small = _fitted(luma, sight.motion_side)
        back = None if before is None else flow_between(small, before, sight.effort)
        if before is not None and back is not None and is_cut(before, small, back):
            back = None
            shot += 1
        before = small
        yield Seen(frame, luma, small, back, shot)


def working_factor(size: tuple[int, int], side: int) -> int:
    """Return by what whole number a frame of (height, width) is shrunk to about `side`: one that divides both."""
    most = round(max(size) / side)
    return next((factor for factor in range(most, 1, -1) if gcd(*size) % factor == 0), 1)


def shrunk(plane: Bytes, factor: int) -> Bytes:
    """Return a plane shrunk by a whole number that divides its sides; the average of its pixels."""
    if factor == 1:
        return np.ascontiguousarray(plane)
    height, width = plane.shape
    return np.asarray(cv2.resize(plane, (width // factor, height // factor), interpolation=cv2.INTER_AREA), np.uint8)


def _fitted(luma: Bytes, side: int) -> Bytes:
    height, width = luma.shape
    scale = side / max(height, width)
    if scale >= 1:
        return luma
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)

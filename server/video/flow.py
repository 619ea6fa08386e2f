"""Where things of one frame lie in another: dense optical flow, and what is carried along it.

A flow is (h, w, 2) float32: at each pixel of the one frame, how far right and down of it the same thing lies in the
other, in pixels of (h, w). DIS flow of Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search".
"""

from enum import Enum
from functools import cache, lru_cache
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Values = TypeVar("Values", Bytes, Floats)

_LEAST_SIDE = 16  # smaller pictures have no room for the patches of 8 pixels that are looked for
_SLACK = 0.7  # pixels by which there and back may miss, and the share of the way that is allowed on top
_SLACK_SHARE = 0.05
_NOISE = np.float32(12.0)  # levels of luma by which the same thing may differ between frames
_AROUND = (5, 5)  # where differences of luma are averaged: single pixels are noise


class Effort(Enum):
    """How thoroughly motion is looked for: OpenCV's presets."""

    LITTLE = cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST
    SOME = cv2.DISOPTICAL_FLOW_PRESET_FAST


def flow_between(here: Bytes, there: Bytes, effort: Effort) -> Floats:
    """Return where each pixel of `here` lies in `there`, both (h, w) uint8 luma."""
    if min(here.shape) < _LEAST_SIDE:
        return np.zeros((*here.shape, 2), np.float32)
    return np.asarray(_method(effort).calc(here, there, None), np.float32)  # type: ignore[call-overload]


@cache
def _method(effort: Effort) -> cv2.DISOpticalFlow:
    return cv2.DISOpticalFlow.create(effort.value)


def carried(values: Values, flow: Floats) -> Values:
    """Return at each pixel what `values` has where the flow leads.

    `values`: (H, W) or (H, W, C), of the frame that the flow leads to; `flow` may be of another size than it. Beyond
    the border, `values` is taken to go on.
    """
    return _read(values, _positions(flow, (values.shape[0], values.shape[1])))


def chained(first: Floats, second: Floats) -> Floats:
    """Return the flow from the frame that `first` begins at to the one that `second` leads to; all (h, w, 2)."""
    return np.asarray(cv2.add(first, carried(second, first)), np.float32)


def trust(flow: Floats, back: Floats, here: Bytes, there: Bytes) -> Floats:
    """Return how far a flow is to be believed, (h, w) float32; 0 not at all, 1 wholly.

    It is, where the flow back returns to where it began, where the luma at both ends is alike, and inside of the frame.
    `back`: from `there` to `here`; all of one size. Forward-backward check of Sundaram, Brox, Keutzer 2010.
    """
    height, width = here.shape
    positions = _positions(flow, (height, width))
    returned = _length(cv2.add(flow, _read(back, positions))) / (_SLACK + _SLACK_SHARE * _length(flow))
    differs = cv2.blur(cv2.absdiff(here, _read(there, positions)), _AROUND).astype(np.float32) / _NOISE
    believed = cv2.exp(-(returned * returned + differs * differs))
    inside = cv2.inRange(positions, (0.0, 0.0), (width - 1.0, height - 1.0))
    return np.asarray(cv2.copyTo(believed, inside), np.float32)


def _read(values: Values, positions: Floats) -> Values:
    moved = cv2.remap(values, positions, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(moved, values.dtype)


def _length(flow: NDArray[np.generic]) -> Floats:
    across, down = cv2.split(np.asarray(flow, np.float32))
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _positions(flow: Floats, size: tuple[int, int]) -> Floats:
    """Return where to read for each pixel of `size` = (height, width): (height, width, 2), x and y."""
    height, width = size
    rows, columns = flow.shape[:2]
    if (rows, columns) != size:
        longer = cv2.multiply(flow, (width / columns, height / rows, 0, 0))  # type: ignore[call-overload]
        flow = np.asarray(cv2.resize(longer, (width, height)), np.float32)
    return np.asarray(cv2.add(flow, _grid(size)), np.float32)


@lru_cache(maxsize=4)
def _grid(size: tuple[int, int]) -> Floats:
    height, width = size
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.dstack([across, down])

"""Where things of one frame lie in another: dense optical flow, and what is carried along it.

A flow is (h, w, 2) float32: at each pixel of the one frame, how far right and down of it the same thing lies in the
other, in pixels of (h, w). DIS flow of Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search".
"""

from enum import Enum
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

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


def carried(values: Bytes | Floats, flow: Floats) -> Bytes | Floats:
    """Return at each pixel what `values` has where the flow leads, of the same type.

    `values`: (H, W) or (H, W, C), uint8 or float32, of the frame that the flow leads to. `flow` may be of another size
    than it. Beyond the border, `values` is taken to go on.
    """
    height, width = values.shape[:2]
    positions = _positions(flow, (height, width))
    moved = cv2.remap(values, positions, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, values.dtype)


def chained(first: Floats, second: Floats) -> Floats:
    """Return the flow from the frame that `first` begins at to the one that `second` leads to; all (h, w, 2)."""
    return first + np.asarray(carried(second, first), np.float32)


def trust(flow: Floats, back: Floats, here: Bytes, there: Bytes) -> Floats:
    """Return how far a flow is to be believed, (h, w) float32; 0 not at all, 1 wholly.

    It is, where the flow back returns to where it began, where the luma at both ends is alike, and inside of the frame.
    `back`: from `there` to `here`; all of one size. Forward-backward check of Sundaram, Brox, Keutzer 2010.
    """
    missed = _length(flow + np.asarray(carried(back, flow), np.float32))
    returned = missed / (_SLACK + _SLACK_SHARE * _length(flow))
    differs = cv2.blur(cv2.absdiff(here, np.asarray(carried(there, flow), np.uint8)).astype(np.float32), _AROUND)
    doubt = returned * returned + (differs / _NOISE) ** 2
    believed = np.exp(-doubt)
    height, width = here.shape
    positions = _positions(flow, (height, width))
    inside = (positions >= 0).all(-1) & (positions <= (width - 1, height - 1)).all(-1)
    return np.asarray(believed * inside, np.float32)


def _length(flow: Floats) -> Floats:
    return np.asarray(cv2.magnitude(flow[..., 0], flow[..., 1]), np.float32)


def _positions(flow: Floats, size: tuple[int, int]) -> Floats:
    """Return where to read for each pixel of `size` = (height, width): (height, width, 2), x and y."""
    height, width = size
    rows, columns = flow.shape[:2]
    if (rows, columns) != size:
        flow = np.asarray(cv2.resize(flow, (width, height)), np.float32)
        flow = flow * np.array([width / columns, height / rows], np.float32)
    return flow + _grid(size)


@cache
def _grid(size: tuple[int, int]) -> Floats:
    height, width = size
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.dstack([across, down])

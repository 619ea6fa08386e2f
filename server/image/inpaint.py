"""Holes in a small picture, closed smoothly from around them."""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_ENOUGH = np.float32(4)  # A pixel of which a quarter is known has the colour of that quarter.
_LEAST = np.float32(1e-9)


def closed(premultiplied: Floats, weight: Floats) -> Floats:
    """Return colours for every pixel, (H, W, bands) float32.

    `weight`: (H, W) 0..1, how far a pixel's colour is known, somewhere above 0; `premultiplied`: (H, W, bands), the
    colours times it. Known pixels stay as they are; the others take the colours of what is known nearest, the softer
    the farther it is. Pull and push over a pyramid of halves: Gortler et al. 1996, "The Lumigraph".
    """
    pyramid = [np.dstack([premultiplied, weight])]
    while max(pyramid[-1].shape[:2]) > 1:
        height, width = pyramid[-1].shape[:2]
        pyramid.append(_resized(pyramid[-1], (-(-width // 2), -(-height // 2)), cv2.INTER_AREA))
    coarse = pyramid.pop()
    result = coarse[..., :-1] / np.maximum(coarse[..., -1:], _LEAST)
    for level in reversed(pyramid):
        height, width = level.shape[:2]
        around = _resized(result, (width, height), cv2.INTER_LINEAR)
        known = level[..., -1:]
        trust = np.minimum(known * _ENOUGH, np.float32(1))
        result = around + trust * (level[..., :-1] / np.maximum(known, _LEAST) - around)
    return np.asarray(result, np.float32)


def _resized(array: Floats, side: tuple[int, int], method: int) -> Floats:
    return np.asarray(cv2.resize(array, side, interpolation=method), np.float32).reshape(*side[::-1], array.shape[2])

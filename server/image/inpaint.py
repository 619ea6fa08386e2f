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
    pyramid = [(premultiplied, weight[..., np.newaxis])]
    while max(weight.shape) > 1:
        height, width = weight.shape
        half = -(-width // 2), -(-height // 2)
        premultiplied, weight = (_resized(part, half, cv2.INTER_AREA) for part in (premultiplied, weight))
        pyramid.append((premultiplied, weight[..., np.newaxis]))
    result = np.asarray(premultiplied / np.maximum(weight[..., np.newaxis], _LEAST), np.float32)
    for colours, known in reversed(pyramid):
        around = _resized(result, known.shape[1::-1], cv2.INTER_LINEAR)
        trust = np.minimum(known * _ENOUGH, np.float32(1))
        result = around + trust * (colours / np.maximum(known, _LEAST) - around)
    return np.asarray(result, np.float32)


def _resized(array: Floats, side: tuple[int, int], method: int) -> Floats:
    """Return `array`, of four bands at most, at `side` = (width, height); OpenCV drops a band axis of one."""
    return np.asarray(cv2.resize(array, side, interpolation=method), np.float32).reshape(*side[::-1], *array.shape[2:])

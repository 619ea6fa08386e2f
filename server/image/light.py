"""sRGB levels and linear light (IEC 61966-2-1), of small arrays."""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_LINEAR_BELOW, _SLOPE = 0.0031308, 12.92
_OFFSET, _GAMMA = 0.055, 2.4


def to_light(levels: NDArray[np.uint8]) -> Floats:
    """Return the linear light 0..1, float32, of levels of any shape (H, W, bands)."""
    return np.asarray(cv2.LUT(levels, _LIGHT), np.float32)


def to_levels(light: Floats) -> Floats:
    """Return the levels 0..255, float32 and not rounded, of linear light; what is above 1 is cut off."""
    light = np.clip(light, 0, 1)
    curve = np.float32(1 + _OFFSET) * np.asarray(cv2.pow(light, 1 / _GAMMA), np.float32) - np.float32(_OFFSET)
    return np.asarray(np.where(light <= _LINEAR_BELOW, light * np.float32(_SLOPE), curve) * np.float32(255), np.float32)


def _light_of_every_level() -> Floats:
    value = np.arange(256) / 255
    curve = ((value + _OFFSET) / (1 + _OFFSET)) ** _GAMMA
    return np.asarray(np.where(value <= _LINEAR_BELOW * _SLOPE, value / _SLOPE, curve), np.float32)


_LIGHT = _light_of_every_level()

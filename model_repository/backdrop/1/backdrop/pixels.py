"""OpenCV's few functions that painting needs, typed, in the world's units."""

import cv2
import numpy as np
from numpy.typing import ArrayLike

from backdrop.frame import Field, Frame


def f32(values: ArrayLike) -> Field:
    """`values` as float32."""
    return np.asarray(values, dtype=np.float32)


def step(low: float, high: float, values: Field) -> Field:
    """0 below `low`, 1 above `high` (or the other way round, where `high` is below), smooth between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return f32(t * t * (3 - 2 * t))


def resize(image: Field, frame: Frame) -> Field:
    """`image` at the frame's size, smoothly."""
    if image.shape[:2] == (frame.height, frame.width):
        return image
    return f32(cv2.resize(image, (frame.width, frame.height), interpolation=cv2.INTER_CUBIC))


def blur(image: Field, frame: Frame, sigma: float, sigma_y: float | None = None) -> Field:
    """Gaussian blur of `sigma` units; what is beyond the edge is as at the edge."""
    across, down = sigma * frame.unit, (sigma if sigma_y is None else sigma_y) * frame.unit
    if max(across, down) < 0.3:
        return image
    return f32(
        cv2.GaussianBlur(image, (0, 0), max(across, 0.1), sigmaY=max(down, 0.1), borderType=cv2.BORDER_REPLICATE)
    )


def remap(image: Field, x: Field, y: Field, *, wrap: bool = False) -> Field:
    """`image` at pixel places `x`, `y`; beyond the edge mirrored, or from the other side."""
    border = cv2.BORDER_WRAP if wrap else cv2.BORDER_REFLECT
    return f32(cv2.remap(image, f32(x), f32(y), cv2.INTER_LINEAR, borderMode=border))

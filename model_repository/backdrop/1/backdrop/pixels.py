"""OpenCV's few functions that painting needs, typed, in the world's units."""

import cv2
import numpy as np
from numpy.typing import ArrayLike

from backdrop.frame import Colour, Field, Frame, Picture

_WIDE = 4.0
"""Pixels of a blur's sigma that are enough to enlarge it from."""


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
    across, down = (s * frame.unit for s in (sigma, sigma if sigma_y is None else sigma_y))
    if max(across, down) < 0.3:
        return image
    # What is left after a wide blur, fewer pixels hold as well: the time it takes grows with its width.
    height, width = image.shape[:2]
    few = max(1, round(width / max(across / _WIDE, 1))), max(1, round(height / max(down / _WIDE, 1)))
    small = image if few == (width, height) else f32(cv2.resize(image, few, interpolation=cv2.INTER_AREA))
    across, down = max(across * few[0] / width, 0.1), max(down * few[1] / height, 0.1)
    soft = f32(cv2.GaussianBlur(small, (0, 0), across, sigmaY=down, borderType=cv2.BORDER_REPLICATE))
    return soft if small is image else f32(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC))


def remap(image: Field, x: Field, y: Field, *, wrap: bool = False) -> Field:
    """`image` at pixel places `x`, `y`; beyond the edge mirrored, or from the other side."""
    border = cv2.BORDER_WRAP if wrap else cv2.BORDER_REFLECT
    across, down = (np.ascontiguousarray(places) for places in np.broadcast_arrays(f32(x), f32(y)))
    return f32(cv2.remap(image, across, down, cv2.INTER_LINEAR, borderMode=border))


def tinted(colour: Colour, shade: Field) -> Picture:
    """(H, W, 3): `colour`, as bright as `shade` (H, W) says."""
    shade = f32(shade)
    return f32(cv2.merge([shade * channel for channel in colour]))


def shaded(picture: Picture, shade: Field) -> Picture:
    """`picture`, made brighter or darker by the factors `shade` (H, W)."""
    shade = np.broadcast_to(f32(shade), picture.shape[:2])
    # Numpy is slow where the last axis is as short as three: with the factors there three times it need not step.
    return f32(cv2.multiply(picture, cv2.merge([shade, shade, shade])))


def shifted(field: Field, frame: Frame, right: float, down: float = 0.0) -> Field:
    """`field` moved by so many units, at least one pixel where at all; its edges go on."""
    moves = [int(np.copysign(max(1, round(abs(by) * frame.unit)), by)) if by else 0 for by in (down, right)]
    y, x = (max(min(move, size - 1), 1 - size) for size, move in zip(field.shape, moves, strict=True))
    stays = field[max(-y, 0) : len(field) - max(y, 0), max(-x, 0) : field.shape[1] - max(x, 0)]
    border = max(y, 0), max(-y, 0), max(x, 0), max(-x, 0)
    return f32(cv2.copyMakeBorder(stays, *border, cv2.BORDER_REPLICATE))


def slope(field: Field, frame: Frame, axis: int) -> Field:
    """How much `field` rises to the unit along `axis`; 0 where there is but one pixel."""
    if field.shape[axis] < 2:
        return np.zeros_like(field)
    return f32(np.gradient(field, axis=axis)) * np.float32(frame.unit)


def over(below: Picture, above: Picture | Colour, cover: Field) -> Picture:
    """`above` laid over `below` where `cover` (H, W; 0–1) says, in linear light."""
    rest = shaded(below, 1 - cover)
    rest += tinted(above, cover) if above.ndim == 1 else shaded(above, cover)
    return rest


def plain(frame: Frame, colour: Colour) -> Picture:
    """(H, W, 3) of one colour."""
    return np.full((frame.height, frame.width, 3), colour, np.float32)


def lens(image: Picture, frame: Frame, radius: float) -> Picture:
    """Out of focus: every point becomes a disc of `radius` units."""
    pixels = radius * frame.unit
    if pixels < 0.6:
        return image
    side = int(np.ceil(pixels))
    at = np.arange(-side, side + 1)
    kernel = f32(np.clip(pixels + 0.5 - np.hypot(at[:, None], at[None, :]), 0, 1))
    return f32(cv2.filter2D(image, cv2.CV_32F, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT))

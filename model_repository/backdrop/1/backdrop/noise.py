"""Random fields that look the same at every size: smooth noise on grids laid over the world, octaves of it, warps."""

from collections.abc import Sequence

import cv2
import numpy as np

from backdrop.frame import Field, Frame
from backdrop.pixels import f32, resize

_SPLINE = np.array([1, 4, 1], dtype=np.float32) / 6
"""A cubic spline's weights: the grid does not show through what is interpolated from it."""
_SPREAD = 2.0
"""Brings the smoothed grid's standard deviation back to 1."""
_PIXELS = 6
"""Pixels to the finest cell are enough to enlarge it from: more would only take longer."""
_MARGIN = 3
"""Cells around the world, for the interpolation."""


def smooth(frame: Frame, rng: np.random.Generator, cells: float, stretch: tuple[float, float] = (1, 1)) -> Field:
    """Noise of mean 0 and standard deviation about 1, with `cells` grid cells to the unit.

    `stretch`: how many times wider and higher than that its features are.
    """
    counts = [max(1, round(cells / factor)) for factor in stretch]
    if min(counts) > 2 * frame.unit:
        return np.zeros((frame.height, frame.width), np.float32)  # Finer than the pixels can show.
    grid = rng.standard_normal((counts[1] + 2 * _MARGIN, counts[0] + 2 * _MARGIN), dtype=np.float32)
    grid = f32(cv2.sepFilter2D(grid, cv2.CV_32F, _SPLINE, _SPLINE)) * np.float32(_SPREAD)
    return _crop(grid, counts, frame)


def _crop(grid: Field, counts: Sequence[int], frame: Frame) -> Field:
    """Enlarge the part of the grid that the frame sees."""
    (first_x, cells_x, left, pixels_x), (first_y, cells_y, top, pixels_y) = (
        _window(counts[0], frame.width, frame.unit, centred=True),
        _window(counts[1], frame.height, frame.unit, centred=False),
    )
    part = grid[first_y : first_y + cells_y, first_x : first_x + cells_x]
    shrinks = pixels_x < cells_x or pixels_y < cells_y
    large = cv2.resize(part, (pixels_x, pixels_y), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.ascontiguousarray(large[top : top + frame.height, left : left + frame.width])


def _window(count: int, pixels: int, unit: int, *, centred: bool) -> tuple[int, int, int, int]:
    """First cell and number of cells, first pixel inside the enlarged part, the enlarged part's pixels."""
    cell = unit / count
    start = (unit - pixels) / 2 / cell if centred else 0.0
    first = int(np.floor(start)) - 2
    cells = int(np.ceil(start + pixels / cell)) + 2 - first
    offset = round((start - first) * cell)
    return first + _MARGIN, cells, offset, max(round(cells * cell), offset + pixels)


def octaves(
    frame: Frame,
    rng: np.random.Generator,
    cells: float,
    count: int,
    *,
    gain: float = 0.5,
    stretch: tuple[float, float] = (1, 1),
) -> Field:
    """Sum of `count` noises, each twice as fine as the last and `gain` times as strong; standard deviation about 1."""
    finest = cells * 2 ** (count - 1) / min(stretch)
    small = frame.at_most(max(round(finest * _PIXELS), 64))
    total = smooth(small, rng, cells, stretch)
    power, strength = 1.0, 1.0
    for octave in range(1, count):
        strength *= gain
        total += smooth(small, rng, cells * 2**octave, stretch) * np.float32(strength)
        power += strength**2
    total *= np.float32(power**-0.5)
    return resize(total, frame)


def tile(rng: np.random.Generator, side: int, cells: int, count: int, *, gain: float = 0.5) -> Field:
    """(side, side) octaves of noise that wrap around, `cells` grid cells to the tile; standard deviation about 1."""
    total = np.zeros((side, side), np.float32)
    strength, power = 1.0, 0.0
    for octave in range(count):
        cell = max(1, side // (cells * 2**octave))
        grid = np.pad(rng.standard_normal((side // cell, side // cell), dtype=np.float32), 3, mode="wrap")
        grid = f32(cv2.sepFilter2D(grid, cv2.CV_32F, _SPLINE, _SPLINE)) * np.float32(_SPREAD)
        large = cv2.resize(grid, None, fx=cell, fy=cell, interpolation=cv2.INTER_CUBIC)
        edge = 3 * cell
        total += f32(large)[edge : edge + side, edge : edge + side] * np.float32(strength)
        power += strength**2
        strength *= gain
    return total / np.float32(power**0.5)


def line(rng: np.random.Generator, cells: float, x: Field, count: int, *, gain: float = 0.5) -> Field:
    """Octaves of noise along one axis, at `x` from -0.5 to 0.5; standard deviation about 1."""
    total = np.zeros(x.shape, np.float32)
    strength, power = 1.0, 0.0
    for octave in range(count):
        total += _line_octave(rng, max(1, round(cells * 2**octave)), x) * np.float32(strength)
        power += strength**2
        strength *= gain
    return total / np.float32(power**0.5)


def _line_octave(rng: np.random.Generator, cells: int, x: Field) -> Field:
    knots = rng.standard_normal(cells + 7, dtype=np.float32) * np.float32(1.4)
    at = (x + np.float32(0.5)) * np.float32(cells) + np.float32(2)
    cell = np.clip(np.floor(at).astype(np.int64), 1, cells + 4)
    t = (at - cell).astype(np.float32)
    weights = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    parts = [knots[cell + shift] * weight for shift, weight in zip((-1, 0, 1, 2), weights, strict=True)]
    return np.asarray(sum(parts), dtype=np.float32) / np.float32(6)

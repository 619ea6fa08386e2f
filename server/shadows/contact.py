"""The shadow of a subject on the ground that it stands on, in the soft light of a studio: three layers.

* cast: the outline, laid flat behind the line of its feet. What is higher in the subject falls farther away, softer and
  fainter.
* ambient: a flat pool around the feet, where the subject hides much of the light.
* touch: a thin dark line where subject and ground meet.

The last two follow the subject's lower contour column by column and fade where it rises, so that a foot that stands
somewhat farther behind has its own, and a hand has none. Layers darken one another as filters in a row do.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from server.composition import ContactShadow
from server.image.stage import Stage
from server.shadows.outline import REACH, Floats, Grid, grid_around, outline, softened
from server.shadows.shade import Shade, shade

# Chosen by eye, on photos and drawn shapes: bottle, ball, box, shoe, chair, standing person, cup, bust.
_BLUR = 0.03  # of the canvas's longer side
_LONGEST_SIDE = 512  # cells: nothing in it is sharp
_CAST_STRENGTH, _CAST_DEPTH, _CAST_FADE = 0.8, 0.22, 2.0  # depth: of the subject's height
_CAST_BLUR = ((0.0, 0.4), (0.3, 0.9), (1.0, 1.3))  # at that height of the subject, so much of the whole blur
_FLAT = 0.5  # a blur on the ground is seen from the side: flatter than wide
_AMBIENT_STRENGTH, _AMBIENT_THICKNESS, _AMBIENT_FADE = 5.0, 0.06, 0.2  # of the subject's size
_AMBIENT_BLUR = 2.5, 0.8  # across, down; of the whole blur
_AMBIENT_DROP = 0.4  # of the blur: how far it lies below the contour
_TOUCH_STRENGTH, _TOUCH_THICKNESS, _TOUCH_FADE = 2.5, 0.008, 0.08  # of the subject's size
_SOLID = 0.5  # alpha from which a pixel can stand on the ground


@dataclass(frozen=True)
class _Standing:
    """A subject on the grid. `head`, `foot`: first row, and the one behind the last. `size`: mean side, in cells."""

    alpha: Floats
    head: int
    foot: int
    size: float


def render(stage: Stage, shadow: ContactShadow) -> Shade:
    """Return the shadow, lazy. The deviation of its blur, at its far end, is half the radius."""
    longest = max(stage.width, stage.height)
    radius = longest * _BLUR if shadow.blur_radius is None else shadow.blur_radius
    lean, down = shadow.offset_x or 0, shadow.offset_y or 0
    # All of it begins on the canvas; only what leans over its edge, and is softened, reaches back.
    grid = grid_around(stage, min(REACH * radius / 2, abs(lean), longest), _LONGEST_SIDE)
    subject = _standing(outline(stage, grid), grid, stage)
    if subject is None:
        return shade(np.zeros((grid.rows, grid.columns), np.float32), shadow.color, grid, stage)
    blur = radius / 2 / grid.cell
    light = 1 - _CAST_STRENGTH * _cast(subject, lean / grid.cell, blur)
    light *= np.exp(-_AMBIENT_STRENGTH * _ambient(subject, blur) - _TOUCH_STRENGTH * _touch(subject))
    return shade(1 - light, shadow.color, grid, stage, down)


def _standing(alpha: Floats, grid: Grid, stage: Stage) -> _Standing | None:
    top, left = grid.before
    seen = alpha[top : top + -(-stage.height // grid.cell), left : left + -(-stage.width // grid.cell)] >= _SOLID
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not rows.size:
        return None
    head, foot = top + int(rows[0]), top + int(rows[-1]) + 1
    # A bust goes on below the canvas, but it is put down on its edge.
    alpha[foot:] = 0
    return _Standing(alpha, head, foot, float(np.sqrt(rows.size * columns.size)))


def _cast(subject: _Standing, lean: float, blur: float) -> Floats:
    """Return the laid outline, 0 to 1. `lean`: how far right of its feet its head lies, in cells."""
    alpha, head, foot = subject.alpha, subject.head, subject.foot
    depth = max(1, round(_CAST_DEPTH * (foot - head)))
    flat = cv2.resize(alpha[head:foot], (alpha.shape[1], depth), interpolation=cv2.INTER_AREA)
    lying = np.array([[1, -lean / depth, lean * (1 - 0.5 / depth)], [0, 1, foot - depth]], np.float64)
    laid = cv2.warpAffine(flat, lying, alpha.shape[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    height = np.clip((foot - 0.5 - np.arange(alpha.shape[0])) / depth, 0, 1)
    laid = laid * ((1 - height) ** _CAST_FADE)[:, np.newaxis].astype(np.float32)
    heights = [at for at, _ in _CAST_BLUR]
    # Each height's light is spread by its own blur: between two of them, by a mixture of both.
    layers = (
        softened(laid * _share(height, heights, number), blur * share, blur * share * _FLAT)
        for number, (_, share) in enumerate(_CAST_BLUR)
    )
    return np.asarray(sum(layers), np.float32)


def _share(height: NDArray[np.float64], heights: list[float], number: int) -> Floats:
    """Return how much each row belongs to one of the heights, as a column; all of them are 1 together."""
    peak = [float(other == number) for other in range(len(heights))]
    return np.asarray(np.interp(height, heights, peak)[:, np.newaxis], np.float32)


def _ambient(subject: _Standing, blur: float) -> Floats:
    near = _near_ground(subject, _AMBIENT_THICKNESS * subject.size, _AMBIENT_FADE * subject.size)
    return softened(_lowered(near, round(_AMBIENT_DROP * blur)), _AMBIENT_BLUR[0] * blur, _AMBIENT_BLUR[1] * blur)


def _touch(subject: _Standing) -> Floats:
    thickness = max(1.0, _TOUCH_THICKNESS * subject.size)
    near = _near_ground(subject, 2 * thickness, _TOUCH_FADE * subject.size)
    return softened(_lowered(near, round(thickness)), thickness, thickness)


def _near_ground(subject: _Standing, thickness: float, fade: float) -> Floats:
    """Return alpha, less with the distance from the lower contour, and less where that is above the foot line."""
    rows = np.arange(subject.alpha.shape[0], dtype=np.float32)[:, np.newaxis]
    solid = subject.alpha >= _SOLID
    bottom = np.where(solid, rows + 1, -np.inf).max(axis=0, keepdims=True)
    less = np.maximum(bottom - rows - 0.5, 0) / thickness + ((subject.foot - bottom) / fade) ** 2
    return np.asarray(subject.alpha * np.exp(-less), np.float32)


def _lowered(values: Floats, rows: int) -> Floats:
    """Return `values` moved down; nothing comes in from above."""
    return np.asarray(cv2.copyMakeBorder(values, rows, 0, 0, 0, cv2.BORDER_CONSTANT)[: values.shape[0]], np.float32)

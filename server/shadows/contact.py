"""The shadow of a subject on the ground it stands on, in light from above: three layers that scatter over one another.

* cast: the outline, laid flat behind the line of its feet. What is higher in the subject falls farther away, softer and
  fainter.
* ambient: the ground around the subject's lower contour sees less of the sky.
* contact: a thin dark line where the subject touches the ground.

The last two follow the contour column by column, so that a foot that stands farther behind has its own.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from server.composition import ContactShadow
from server.image.stage import Stage
from server.shadows.outline import REACH, Floats, Grid, grid_around, outline, softened
from server.shadows.shade import Shade, shade

_BLUR = 0.03  # of the canvas's longer side
_DEPTH = 0.25  # height of the laid outline, of the subject's
_CAST = 0.75  # strength where it begins
_FLAT = 0.5  # a blur on the ground is seen from the side: flatter than wide
_BANDS = ((0.0, 0.2), (0.3, 0.45), (1.0, 1.0))  # height in the subject; blur there, of the whole


P: dict[str, float] = {}

def render(stage: Stage, shadow: ContactShadow) -> Shade:
    longest = max(stage.width, stage.height)
    deviation = (longest * _BLUR if shadow.blur_radius is None else shadow.blur_radius) / 2
    lean, down = shadow.offset_x or 0, shadow.offset_y or 0
    grid = grid_around(stage, REACH * deviation + abs(lean))
    alpha = outline(stage, grid, 0, down)
    solid = np.flatnonzero((alpha >= 0.5).any(axis=1))
    if not solid.size:
        return shade(np.zeros_like(alpha), shadow.color, grid, stage)
    head, foot = int(solid[0]), int(solid[-1]) + 1
    foot = min(foot, grid.before[0] + -(-stage.height // grid.cell))
    alpha[foot:] = 0
    soft = deviation / grid.cell
    size = np.sqrt((foot - head) * _width(alpha))
    cast = _cast(alpha, head, foot, lean / grid.cell, soft)
    ambient = _near(alpha, foot, size * P.get('al', 0.15), size * P.get('ad', 0.25))
    ambient = softened(np.roll(ambient, int(soft*P.get('as',.3)), 0), soft * P.get('ab', .5), soft * P.get('ab', .5) * _FLAT)
    thin = max(1.0, size * P.get('ct', .008))
    touch = _near(alpha, foot, thin * 2, size * P.get('cd', 0.06))
    touch = softened(np.roll(touch, int(thin*1), 0), thin, thin)
    light = (1 - P.get('C', _CAST) * cast) * (1 - np.clip(P.get('A', 0.8) * ambient, 0, 1)) * (1 - np.clip(P.get('T', 1.0) * touch, 0, 1))
    return shade(1 - light, shadow.color, grid, stage)


def _width(alpha):
    return np.count_nonzero((alpha >= .5).any(axis=0))


def _near(alpha, foot, thickness, reach):
    """alpha near its lower contour"""
    rows = np.arange(alpha.shape[0], dtype=np.float32)[:, None]
    solid = alpha >= .5
    bottom = np.where(solid.any(axis=0), alpha.shape[0] - np.argmax(solid[::-1], axis=0), -10**6)[None, :]
    w = np.exp(-np.maximum(bottom - rows - .5, 0) / thickness) * np.exp(-(foot - bottom) / reach)
    return (alpha * w).astype(np.float32)


def _cast(alpha, head, foot, lean, soft):
    n = max(1, round(P.get('D', _DEPTH) * (foot - head)))
    flat = cv2.resize(alpha[head:foot], (alpha.shape[1], n), interpolation=cv2.INTER_AREA)
    m = np.array([[1, -lean / n, lean - lean * .5 / n], [0, 1, foot - n]], np.float64)
    flat = cv2.warpAffine(flat, m, alpha.shape[::-1], flags=cv2.INTER_LINEAR)
    t = np.clip((foot - np.arange(alpha.shape[0]) - .5) / n, 0, 1)
    cast = np.zeros_like(alpha)
    for i, (h, b) in enumerate(_BANDS):
        prev = _BANDS[i-1][0] if i else -1
        nxt = _BANDS[i+1][0] if i + 1 < len(_BANDS) else 2
        w = np.clip(np.minimum((t - prev) / (h - prev), (nxt - t) / (nxt - h)), 0, 1) * (1 - t) ** P.get('F', 1.5)
        cast += softened(flat * w[:, None].astype(np.float32), soft * b, soft * b * _FLAT)
    return cast

"""The subject's outline on a small grid around the canvas, softened, and enlarged to the canvas again.

A shadow is soft, so a small copy holds all of it: its cost depends neither on the canvas nor on how soft it is.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import pyvips
from numpy.typing import NDArray

from server.image.box import Box, box_between
from server.image.enlarge import enlarged
from server.image.stage import Stage

Floats = NDArray[np.float32]

_LONGEST_SIDE = 1024  # cells that the canvas has at most along its longer side, unless coarser ones will do
_TOUCHING = 0.5  # pixels: a picture that ends so far inside of the canvas's edge ends at it
REACH = 3
"""Deviations of a gaussian beyond which it is nothing."""
_FINE = 6  # cells: a gaussian of a larger deviation is drawn on fewer
_NOTHING = 1e-6  # a deviation: OpenCV takes 0 for a question


@dataclass(frozen=True)
class Grid:
    """A grid of square cells of `cell` × `cell` pixels: the canvas and what is around it.

    `before`: (rows, columns) of cells above and left of the canvas. `rows`, `columns`: of all.
    """

    cell: int
    before: tuple[int, int]
    rows: int
    columns: int


def grid_around(stage: Stage, margin: float, longest_side: int = _LONGEST_SIDE) -> Grid:
    """Return a grid over the canvas and at least `margin` pixels on each side of it.

    `longest_side`: most cells along the canvas's longer side.
    """
    cell = 2 ** max(0, math.ceil(math.log2(max(stage.width, stage.height) / longest_side)))
    around = math.ceil(margin / cell) + 1
    rows, columns = math.ceil(stage.height / cell), math.ceil(stage.width / cell)
    return Grid(cell, (around, around), rows + 2 * around, columns + 2 * around)


def outline(stage: Stage, grid: Grid, right: float = 0, down: float = 0) -> Floats:
    """Return the subject's alpha on the grid, moved by so many pixels: (rows, columns) float32, 0 to 1.

    Where the canvas ends with the picture, or in it, a subject that the picture cuts off goes on beyond, as its last
    pixels are: an edge that nobody sees casts no shadow, and a shadow does not fade where it leaves the canvas.
    """
    layout, (height, width) = stage.layout, stage.picture_size
    # One cell of nothing on each side where the picture ends inside of the canvas: above, below, left, right.
    ends = (
        int(layout.top > _TOUCHING),
        int(layout.top + layout.scale * height < layout.height - _TOUCHING),
        int(layout.left > _TOUCHING),
        int(layout.left + layout.scale * width < layout.width - _TOUCHING),
    )
    across, down_ = layout.scale * width / grid.cell, layout.scale * height / grid.cell
    # Averaged first where it shrinks: interpolation would skip cells.
    small = _shrunk(stage.alpha.astype(np.float32) / np.float32(255), round(down_), round(across))
    rows, columns = small.shape
    framed = cv2.copyMakeBorder(small, *ends, cv2.BORDER_CONSTANT)
    x, y = across / columns, down_ / rows
    half = 0.5 if grid.cell > 1 else 0.0  # what `enlarged` moves it by
    left = (layout.left + right - half) / grid.cell + grid.before[1]
    top = (layout.top + down - half) / grid.cell + grid.before[0]
    # From the centres of one's cells to those of the other's.
    matrix = np.array([[x, 0, left + x * (0.5 - ends[2]) - 0.5], [0, y, top + y * (0.5 - ends[0]) - 0.5]], np.float64)
    size = grid.columns, grid.rows
    laid = cv2.warpAffine(framed, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(laid, np.float32)


def softened(values: Floats, across: float, down: float) -> Floats:
    """Return `values` blurred by a gaussian of these deviations in cells; what is beyond the grid is as its border.

    A wide one is drawn on a coarser grid, so that none takes longer than a narrow one.
    """
    rows, columns = values.shape
    y, x = max(1, int(down / _FINE)), max(1, int(across / _FINE))
    # A coarse cell of the border's own values on each side: it is what goes on beyond.
    padded = cv2.copyMakeBorder(values, y, y + -rows % y, x, x + -columns % x, cv2.BORDER_REPLICATE)
    coarse = cv2.resize(padded, (padded.shape[1] // x, padded.shape[0] // y), interpolation=cv2.INTER_AREA)
    across, down = max(_rest(across, x), _NOTHING), max(_rest(down, y), _NOTHING)
    coarse = cv2.GaussianBlur(coarse, (0, 0), across, sigmaY=down, borderType=cv2.BORDER_REPLICATE)
    fine = cv2.resize(coarse, padded.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(fine[y : y + rows, x : x + columns], np.float32)


def on_canvas(levels: NDArray[np.uint8], grid: Grid, stage: Stage, down: int = 0) -> pyvips.Image:
    """Return (rows, columns) uint8 of the grid on the canvas, `down` pixels lower: lazy uchar, one band."""
    canvas = Box(0, 0, stage.width, stage.height)
    rows, columns = np.flatnonzero(levels.any(axis=1)), np.flatnonzero(levels.any(axis=0))
    if not rows.size:
        return pyvips.Image.black(stage.width, stage.height)
    # With a border of nothing, so that interpolation ends in it.
    cells = box_between(int(rows[0]) - 1, int(columns[0]) - 1, int(rows[-1]) + 2, int(columns[-1]) + 2)
    cells = cells.cut_to(Box(0, 0, grid.columns, grid.rows))
    part = levels[cells.top : cells.bottom, cells.left : cells.right]
    top, left = (cells.top - grid.before[0]) * grid.cell + down, (cells.left - grid.before[1]) * grid.cell
    whole = Box(top, left, cells.width * grid.cell, cells.height * grid.cell)
    seen = whole.cut_to(canvas)
    if not seen.width:
        return pyvips.Image.black(stage.width, stage.height)
    image = enlarged(part, grid.cell).crop(seen.left - left, seen.top - top, seen.width, seen.height)
    return image if seen == canvas else image.embed(seen.left, seen.top, stage.width, stage.height)


def _shrunk(alpha: Floats, rows: int, columns: int) -> Floats:
    size = min(alpha.shape[1], max(1, columns)), min(alpha.shape[0], max(1, rows))
    return np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)


def _rest(deviation: float, factor: int) -> float:
    """Return the deviation, in coarse cells, that is left when a grid is made `factor` times coarser and finer again:
    averaging cells is a blur of variance (f² - 1) / 12, and interpolating between them one of f² / 6."""
    if factor == 1:
        return deviation
    return math.sqrt(deviation**2 - (factor**2 - 1) / 12 - factor**2 / 6) / factor

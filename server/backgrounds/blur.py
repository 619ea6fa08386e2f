"""The picture's own background out of focus, without its subject."""

from dataclasses import dataclass

import cv2
import numpy as np
import pyvips
from numpy.typing import NDArray

from server.composition import Blur, BlurKind
from server.image.dither import dithered_array
from server.image.enlarge import enlarged
from server.image.inpaint import closed
from server.image.light import Floats, to_levels, to_light
from server.image.stage import Stage

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # ITU-R BT.709
_REFERENCE_SIDE = 1024  # of the picture in which a radius is in pixels

# A blur is computed on a grid on which its radius has at most so many pixels: no radius costs more than this one.
_FINEST_RADIUS = 16

# The result is computed in cells, and interpolated by straight lines between them: at this many cells to the radius no
# line is seen, and in cells of so few pixels no dither.
_CELLS, _LARGEST_CELL = 12, 8
_STRIP = 256  # rows of cells that are in memory as floats
_MOST_CELLS = 2560  # in a row or a column: 20 MB

_SUBJECT_FROM = 8  # Alpha from which the subject's light is in a pixel.
# How far beyond its matte the subject's light is taken out, in pixels as a radius: the farther the blur would carry it.
_SUBJECT_REACH, _REACH_BY_RADIUS, _MOST_REACH = 1.5, 0.35, 8.5

_LEAST = np.float32(1e-6)

_HIGHLIGHT_FROM, _HIGHLIGHT_FULL = 0.25, 0.7  # linear light above the surroundings'
_HIGHLIGHT_WEIGHT = 20  # 8 bits cut highlights off; so many times brighter they would have been.


@dataclass(frozen=True)
class _Place:
    """Where a whole picture lies on the canvas: as in `Layout`."""

    scale: float
    left: float
    top: float


def render(stage: Stage, background: Blur) -> pyvips.Image:
    """Return the blurred background over the whole canvas, lazy: uchar sRGB, three bands, dithered.

    Computed in linear light, as a lens does it: lights stay lights. The subject, and what is transparent in the
    picture, is first closed with the colours around it; where nothing else is seen, the whole picture is blurred. A
    lens spreads light over a disc of the radius; a gaussian's deviation is half of it, so that both reach equally far.

    It lies where the picture lies, and where that leaves a part of the canvas free, it covers the canvas, centred.
    """
    soften = _gaussian if background.kind is BlurKind.GAUSSIAN else _lens
    levels = to_levels(soften(stage, _grid(stage, background.radius), background.radius))
    place = _place(stage)
    radius = background.radius / _REFERENCE_SIDE * max(stage.picture_size) * place.scale
    cell = _cell(radius, max(stage.width, stage.height))
    image = enlarged(_cells(levels, place, stage, cell), cell)
    return image.crop(0, 0, stage.width, stage.height).copy(interpretation="srgb")


def _cell(radius: float, side: int) -> int:
    """Return the side of a cell in pixels, a power of two, for a radius and a canvas in pixels."""
    cell = 1
    while cell < _LARGEST_CELL and (2 * cell * _CELLS <= radius or cell * _MOST_CELLS < side):
        cell *= 2
    return cell


def _grid(stage: Stage, radius: int) -> tuple[int, int]:
    """Return (height, width) of the grid: the picture's proportions, and no more pixels than the view shows."""
    height, width = stage.picture_size
    side = max(stage.view.colour.shape[:2])
    side = max(1, round(min(side, _FINEST_RADIUS * _REFERENCE_SIDE / radius)))
    across, down = (max(1, round(side * length / max(width, height))) for length in (width, height))
    return down, across


def _gaussian(stage: Stage, grid: tuple[int, int], radius: int) -> Floats:
    known = _known(stage, radius)
    light = closed(_averaged(to_light(stage.view.colour) * known[..., np.newaxis], grid), _averaged(known, grid))
    deviation = max(radius * max(grid) / _REFERENCE_SIDE / 2, 0.1)
    return np.asarray(cv2.GaussianBlur(light, (0, 0), deviation, borderType=cv2.BORDER_REFLECT), np.float32)


def _lens(stage: Stage, grid: tuple[int, int], radius: int) -> Floats:
    """Spread light over discs, that of highlights weighing more than 8 bits show."""
    known, light = _known(stage, radius), to_light(stage.view.colour)
    weight = known * _highlights(light, known, _in_view(stage, 2 * radius))
    weighted = _averaged(np.dstack([light * weight[..., np.newaxis], weight]), grid)
    seen = _averaged(known, grid)
    # What is not known is filled with plain light: no highlight glows beyond its disc.
    plain = closed(_averaged(light * known[..., np.newaxis], grid), seen)
    weighted += (1 - seen)[..., np.newaxis] * np.dstack([plain, np.ones_like(seen)])
    disc = _disc(radius * max(grid) / _REFERENCE_SIDE)
    spread = cv2.filter2D(weighted, -1, disc, borderType=cv2.BORDER_REFLECT)
    return np.asarray(spread[..., :3] / spread[..., 3:], np.float32)


def _averaged(values: Floats, grid: tuple[int, int]) -> Floats:
    """Return the values, (H, W) or with bands, at the size of the grid."""
    small = cv2.resize(values, grid[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).reshape(*grid, *values.shape[2:])


def _highlights(light: Floats, known: Floats, reach: tuple[int, int]) -> Floats:
    """Return how much brighter each pixel was, (H, W) from 1: what outshines the known within `reach` was cut off."""
    luminance, side = light @ _LUMINANCE, (2 * reach[0] + 1, 2 * reach[1] + 1)
    around = cv2.blur(luminance * known, side) / np.maximum(cv2.blur(known, side), _LEAST)
    above = np.clip((luminance - around - _HIGHLIGHT_FROM) / (_HIGHLIGHT_FULL - _HIGHLIGHT_FROM), 0, 1)
    return np.asarray(1 + (_HIGHLIGHT_WEIGHT - 1) * above * above, np.float32)


def _known(stage: Stage, radius: int) -> Floats:
    """Return how far each pixel of the view is background, (H, W) float32 0..1; not 0 everywhere."""
    across, down = _in_view(stage, min(_SUBJECT_REACH + _REACH_BY_RADIUS * radius, _MOST_REACH))
    around = np.ones((2 * down + 1, 2 * across + 1), np.uint8)
    known = np.asarray(1 - cv2.dilate((stage.alpha >= _SUBJECT_FROM).astype(np.uint8), around), np.float32)
    if stage.view.alpha is None:
        return known if known.any() else np.ones_like(known)
    # Half transparent pixels are half the grey behind them: they count for little.
    seen = (stage.view.alpha.astype(np.float32) / 255) ** 4
    for candidate in (known * seen, seen):
        if candidate.any():
            return np.asarray(candidate, np.float32)
    return np.ones_like(known)


def _in_view(stage: Stage, length: float) -> tuple[int, int]:
    """Return a length that is given as a radius in pixels of the view, (across, down); 1 at least."""
    length *= max(stage.picture_size) / _REFERENCE_SIDE
    down, across = (
        max(1, round(length * small / large))
        for small, large in zip(stage.alpha.shape, stage.picture_size, strict=True)
    )
    return across, down


def _disc(radius: float) -> Floats:
    """Return a disc of sum 1 whose edge is as sharp as the grid allows."""
    reach = int(radius + 1)
    fine = 8
    places = (np.arange((2 * reach + 1) * fine) + 0.5) / fine - reach - 0.5
    inside = (np.hypot(*np.meshgrid(places, places)) <= max(radius, 0.5)).astype(np.float32)
    disc = inside.reshape(2 * reach + 1, fine, 2 * reach + 1, fine).mean(axis=(1, 3))
    return np.asarray(disc / disc.sum(), np.float32)


def _place(stage: Stage) -> _Place:
    layout, (height, width) = stage.layout, stage.picture_size
    right, bottom = layout.left + width * layout.scale, layout.top + height * layout.scale
    tolerance = 1  # pixel: sides are rounded
    if (
        layout.left <= tolerance
        and layout.top <= tolerance
        and right >= layout.width - tolerance
        and bottom >= layout.height - tolerance
    ):
        return _Place(layout.scale, layout.left, layout.top)
    scale = max(layout.width / width, layout.height / height)
    return _Place(scale, (layout.width - width * scale) / 2, (layout.height - height * scale) / 2)


def _cells(levels: Floats, place: _Place, stage: Stage, cell: int) -> NDArray[np.uint8]:
    """Return the canvas in cells, (H, W, 3) uint8, of levels of the whole picture, by cubic curves."""
    height, width = stage.picture_size
    columns, rows = (side // cell + 1 for side in (stage.width, stage.height))
    across, down = levels.shape[1] / (width * place.scale), levels.shape[0] / (height * place.scale)
    # `enlarged` moves everything but single pixels by half a pixel.
    shift = cell / 2 + (0.5 if cell > 1 else 0)
    result = np.empty((rows, columns, 3), np.uint8)
    for top in range(0, rows, _STRIP):
        part = result[top : top + _STRIP]
        corner = across * (shift - place.left) - 0.5, down * (cell * top + shift - place.top) - 0.5
        part[:] = dithered_array(_warped(levels, (across * cell, down * cell), corner, part.shape[1::-1]))
    return result


def _warped(levels: Floats, step: tuple[float, float], corner: tuple[float, float], size: tuple[int, int]) -> Floats:
    """Return (H, W, 3) of `size` = (W, H): the levels at every `step` (across, down) from `corner` on."""
    sources = np.array([[step[0], 0, corner[0]], [0, step[1], corner[1]]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(levels, sources, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)

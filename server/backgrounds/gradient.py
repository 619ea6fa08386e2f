"""A gradient of two colours behind the subject."""

import math

import numpy as np
import pyvips
from numpy.typing import NDArray

from server.composition import Color, Gradient, GradientKind
from server.image.dither import dithered
from server.image.libvips import from_array
from server.image.stage import Stage

_STEPS = 65_535  # of the way from start to end: 257 for each level of a channel


def render(stage: Stage, background: Gradient) -> pyvips.Image:
    """Return the gradient over the whole canvas, lazy: uchar sRGB, dithered; three bands where both colours are opaque,
    else four, straight alpha.

    It is even in sRGB's own levels, as in CSS: so are its steps to the eye. In linear light the dark end would shrink
    to a narrow seam. Where an end is transparent, colours are interpolated premultiplied, as in CSS too: no grey comes
    in between.
    """
    way = _straight(stage, background.angle) if background.kind is GradientKind.LINEAR else _round(stage)
    levels = _levels(background.start, background.end)
    return dithered(way.maplut(from_array(levels[np.newaxis])))


def _straight(stage: Stage, angle: float) -> pyvips.Image:
    """Return the way along `angle`, ushort 0.._STEPS.

    The line of CSS: through the centre, and as long as makes the corners' pixels the pure colours.
    """
    right, down = math.sin(math.radians(angle)), -math.cos(math.radians(angle))
    across, along = right * _centred(stage.width), down * _centred(stage.height)
    half = max(across.max() + along.max(), 1e-6)
    return (_sum(across / half, along / half) + 1).linear(_STEPS / 2, 0.5).cast("ushort")


def _round(stage: Stage) -> pyvips.Image:
    """Return the way from the centre to the corners' pixels, ushort 0.._STEPS."""
    across, down = _centred(stage.width), _centred(stage.height)
    radius = max(math.hypot(across[-1], down[-1]), 1e-6)
    return (_sum((across / radius) ** 2, (down / radius) ** 2) ** 0.5).linear(_STEPS, 0.5).cast("ushort")


def _levels(start: Color, end: Color) -> NDArray[np.float32]:
    """Return (_STEPS + 1, 3 or 4) float32 0..255: the colour at every step of the way."""
    way = np.linspace(0, 1, _STEPS + 1)[:, np.newaxis]
    first, last = (np.array([color.red, color.green, color.blue]) for color in (start, end))
    if start.alpha == end.alpha == 255:
        return np.asarray(first + (last - first) * way, np.float32)
    alpha = start.alpha + (end.alpha - start.alpha) * way
    premultiplied = first * start.alpha * (1 - way) + last * end.alpha * way
    colour = premultiplied / np.maximum(alpha, 1e-6)
    return np.asarray(np.hstack([colour, alpha]), np.float32)


def _centred(count: int) -> NDArray[np.float64]:
    """Return the places of `count` pixels' centres, 0 in their middle."""
    return np.asarray(np.arange(count) - (count - 1) / 2, np.float64)


def _sum(across: NDArray[np.float64], down: NDArray[np.float64]) -> pyvips.Image:
    """Return one float band that is `across[x] + down[y]` at (x, y); lazy."""
    row = from_array(across[np.newaxis].astype(np.float32)).zoom(1, down.size)
    return row + from_array(down[:, np.newaxis].astype(np.float32)).zoom(across.size, 1)

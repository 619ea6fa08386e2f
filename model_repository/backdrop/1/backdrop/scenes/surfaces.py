"""A material from edge to edge, as seen from above or standing behind, in light that comes from one side."""

from functools import partial

import numpy as np

from backdrop.bands import by_bands
from backdrop.frame import Field, Frame, Picture
from backdrop.light import glow
from backdrop.materials import MATERIALS
from backdrop.pixels import f32, shaded
from backdrop.stage import Stage


def painter(material: str) -> "partial[Picture]":
    """The scene of one material."""
    return partial(_surface, material)


def _surface(material: str, stage: Stage) -> Picture:
    frame = stage.frame
    picture = MATERIALS[material](stage, frame)
    return by_bands(frame, lambda band, rows: shaded(rows, raking(stage, band)), picture)


def raking(stage: Stage, frame: Frame) -> Field:
    """(H, W): brighter towards the light's side, above."""
    high = frame.height / frame.unit
    light = glow(frame, stage.light_side * 0.38, 0.18 * high, 0.75, power=1.5)
    return f32(np.float32(0.62) + np.float32(0.48) * light)

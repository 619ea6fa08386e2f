"""Lights out of focus: discs with a lens's rim, cut to cat's eyes towards the corners, added up in linear light."""

from dataclasses import dataclass

import numpy as np

from backdrop.frame import Colour, Frame, Picture
from backdrop.pixels import f32


@dataclass(frozen=True)
class Disc:
    """One light: its place and radius in units, its colour (brightness included), 0–1 how sharp its edge is."""

    x: float
    y: float
    radius: float
    colour: Colour
    edge: float = 0.8


def add_disc(picture: Picture, frame: Frame, disc: Disc, *, squeeze: float = 1.0) -> None:
    """Add a light to `picture`. `squeeze` above 1 makes it lower than wide, below 1 higher."""
    unit = frame.unit
    radius = max(disc.radius * unit, 0.7)
    across, down = disc.x * unit + frame.width / 2, disc.y * unit
    reach = radius * 1.15 + 1
    left, right = max(0, int(across - reach)), min(frame.width, int(across + reach) + 1)
    top, bottom = max(0, int(down - reach / squeeze)), min(frame.height, int(down + reach / squeeze) + 1)
    if left >= right or top >= bottom:
        return
    dx = f32(np.arange(left, right) + 0.5 - across)[None, :]
    dy = f32((np.arange(top, bottom) + 0.5 - down) * squeeze)[:, None]
    soft = np.float32(max(radius * (1.05 - disc.edge) * 0.55, 0.9))
    distance = np.sqrt(dx * dx + dy * dy)
    cover = np.clip((np.float32(radius) - distance) / soft + np.float32(0.5), 0, 1)
    cover *= np.float32(0.78) + np.float32(0.22) * (distance / np.float32(radius)) ** 4
    # The barrel of the lens hides a part of the pupil away from the middle: nothing there, a quarter in the corners.
    shift = np.float32(0.55 * radius)
    away_x, away_y = disc.x * 2, (disc.y - frame.height / unit / 2) * 2
    eye = np.sqrt((dx + away_x * shift) ** 2 + (dy + away_y * shift) ** 2)
    cover *= np.clip((np.float32(radius * 1.12) - eye) / soft + np.float32(0.5), 0, 1)
    picture[top:bottom, left:right] += cover[:, :, None] * disc.colour

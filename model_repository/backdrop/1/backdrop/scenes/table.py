"""A table top in front, something far behind it out of focus."""

from collections.abc import Callable

import numpy as np

from backdrop.bands import by_bands
from backdrop.colour import srgb
from backdrop.frame import Frame, Picture
from backdrop.light import glow
from backdrop.materials import MATERIALS
from backdrop.materials.walls import plaster
from backdrop.noise import octaves
from backdrop.palette import backdrop_colours
from backdrop.pixels import blur, f32, lens, over, resize, shaded, step, tinted
from backdrop.scenes.room import laid
from backdrop.stage import Stage

_SIDE = 1152


def table(stage: Stage, behind: Callable[[Stage], Picture] | None) -> Picture:
    """`behind`: paints what is seen over the table's edge; a plain wall without it."""
    frame = stage.frame.at_most(_SIDE)
    small = frame.at_most(640)
    edge = stage.horizon(0.7)
    backdrop = _wall(stage.as_part("wall"), small) if behind is None else resize(behind(stage), small)
    backdrop = lens(backdrop, small, 0.016)
    material = next((name for name in stage.brief.names("material") if name not in ("brick", "paper")), "wood")
    top = laid(frame, MATERIALS[material](stage.as_part("table"), Frame(1024, 1024)), edge, depth=0.55)
    # The light of what is behind lies on the table, most where one looks along it.
    rows = np.clip(((2 * edge - small.v) * small.height)[:, 0], 0, small.height - 1).astype(np.int64)
    mirrored = blur(backdrop[rows], small, 0.03, 0.06)
    high = frame.height / frame.unit
    mean = f32(backdrop.mean(axis=(0, 1)))
    tint = mean / max(float(mean.max()), 1e-3)
    power = np.float32(np.clip(0.45 + float(mean.mean()) * 1.6, 0.5, 1.1))
    gloss = np.float32(0.3 if material == "marble" else 0.2)
    pixel = 1.0 / frame.height

    def paint(band: Frame, top: Picture, far: Picture, mirrored: Picture) -> Picture:
        depth = np.clip((band.v - np.float32(edge)) / np.float32(1 - edge), 0, 1)
        light = glow(band, stage.light_side * 0.3, (edge + 0.1) * high, 0.7, power=1.3, squeeze=1.3)
        lit = (np.float32(0.5) + np.float32(0.6) * light) * (1 - np.float32(0.3) * depth) * power
        surface = shaded(top * f32(np.float32(0.72) + np.float32(0.28) * tint), lit)
        surface += shaded(mirrored, gloss * (1 - depth) ** 2 + 0 * band.x)
        rim = np.exp(-np.abs(depth - np.float32(0.004)) / np.float32(0.006)) * np.float32(0.22)
        surface += tinted(mean, f32(rim + 0 * band.x))
        return over(far, surface, step(edge - pixel, edge + pixel * 2, band.v + 0 * band.x))

    return by_bands(frame, paint, top, resize(backdrop, frame), resize(mirrored, frame))


def _wall(stage: Stage, frame: Frame) -> Picture:
    """A wall with light from the side, as in a kitchen in the morning."""
    colour = backdrop_colours(stage)[0] if stage.colours else srgb("#d9d4cb")
    light = glow(frame, stage.light_side * 0.42, 0.2, 0.5, power=1.8)
    shapes = octaves(frame, stage.rng("things"), 3, 3)
    return shaded(
        plaster(stage, frame, colour), np.float32(0.34) + np.float32(0.75) * light + np.float32(0.05) * shapes
    )

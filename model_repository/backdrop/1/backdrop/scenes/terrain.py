"""A real height field seen in perspective: mountains, with light and shadow where the ground leans."""

import numpy as np

from backdrop.bands import together
from backdrop.colour import mix, srgb
from backdrop.frame import Field, Frame, Picture
from backdrop.light import hour_of
from backdrop.noise import tile
from backdrop.pixels import blur, f32, over, plain, remap, shaded, step, tinted
from backdrop.scenes.hills import grass
from backdrop.scenes.sky import sky
from backdrop.stage import Stage
from backdrop.view import SOFT, View

_SLICES = 1600
_TILE = 1024
_NEAR, _FAR = 2.2, 10.0
"""Distances of the first and the last slice, in widths of what the frame sees at 1."""


def mountains(stage: Stage) -> Picture:
    """Peaks with snow, woods at their feet, a meadow in front."""
    at = stage.horizon(0.66)
    view = View(stage, stage.frame.at_most(SOFT), hour_of(stage.brief, "day"), at)
    (above,), (cover, body) = together(lambda: (sky(view),), lambda: _range(view))
    picture = over(above, body, cover)
    ground = "#dfe6ee" if stage.brief.wants("snow") else "#9a7a3c" if stage.brief.wants("autumn") else "#66803f"
    return grass(view, blur(picture, view.frame, 0.0018), at + 0.1, ground)


def _range(view: View) -> tuple[Field, Picture]:
    """Where mountains are seen, 0–1, and they.

    Slices from near to far; what a pixel sees is the first whose height reaches it.
    """
    frame, at = view.frame, view.at
    part = f32(np.linspace(0, 1, _SLICES))[:, None]
    distance = np.float32(_NEAR) * np.float32(_FAR / _NEAR) ** part
    heights, lean_x, lean_z = _heights(view.stage, frame, distance)
    tops = np.float32(at * view.high) - (heights - np.float32(0.28)) / distance * np.float32(1.15)
    tops = np.minimum.accumulate(tops, axis=0)
    rows = np.clip(np.floor(tops * frame.unit), -1, frame.height - 1).astype(np.int64) + 1
    columns = np.broadcast_to(np.arange(frame.width), rows.shape)
    size = (frame.height + 1) * frame.width
    steps = np.bincount((rows * frame.width + columns).ravel(), minlength=size).reshape(frame.height + 1, frame.width)
    # The slices whose line is still below this pixel hide nothing of it: the next one is what it shows.
    seen = f32(_SLICES - np.cumsum(steps, axis=0)[: frame.height])
    colours = _ground(view, (heights, lean_x, lean_z), distance)
    across = np.arange(frame.width, dtype=np.float32)[None, :]
    body = remap(colours, across, np.minimum(seen, _SLICES - 1))
    return step(_SLICES, _SLICES - 1, seen), body


def _heights(stage: Stage, frame: Frame, distance: Field) -> tuple[Field, Field, Field]:
    """(slices, W): the ground's height, and how it leans across and away."""
    rng = stage.rng("mountains")
    total = np.zeros((_TILE, _TILE), np.float32)
    weight = np.ones((_TILE, _TILE), np.float32)
    for octave in range(8):
        ridge = 1 - np.abs(tile(rng, _TILE, 4 * 2**octave, 1)) * np.float32(0.8)
        total += (ridge - np.float32(0.36)) * weight * np.float32(0.5**octave)
        weight = np.clip(np.float32(0.25) + ridge * np.float32(0.9), 0, 1.2)
    scale = np.float32(_TILE / 5.2)
    shift = rng.uniform(0, _TILE, 2).astype(np.float32)
    x, z = frame.x * distance * scale + shift[0], distance * scale * np.float32(1.15) + shift[1] + 0 * frame.x
    reach = np.float32(3)
    here, right, behind = (remap(total, x + dx, z + dz, wrap=True) for dx, dz in ((0, 0), (reach, 0), (0, reach)))
    grow = step(_NEAR * 0.8, _NEAR * 2.6, distance)
    # Single mountains and gaps between them, not one wall.
    broad = tile(stage.rng("massifs"), 256, 4, 2, gain=0.4)
    massif = remap(broad, x * np.float32(0.42), z * np.float32(0.42), wrap=True)
    strength = grow * (np.float32(0.95) + np.float32(0.34) * np.clip(massif, -1.7, 1.7))
    unit = scale / reach
    return here * strength, (right - here) * strength * unit, (behind - here) * strength * unit


def _ground(view: View, shape: tuple[Field, Field, Field], distance: Field) -> Picture:
    """(slices, W, 3): rock, snow on what is high and not too steep, woods below; the air before all of it."""
    stage, hour, sun = view.stage, view.hour, view.sun
    heights, lean_x, lean_z = shape
    inverse = 1 / np.sqrt(1 + lean_x**2 + lean_z**2)
    side = np.float32(np.sign(sun.x) * 0.85)
    facing = np.clip((-lean_x * side + lean_z * np.float32(-0.25) + np.float32(0.36)) * inverse, 0, 1.2)
    lit = np.float32(0.3) + np.float32(0.85) * facing
    frame = Frame(heights.shape[1], heights.shape[0])
    rock, wood = view.lit(srgb("#7d7671")), view.lit(srgb("#41573b"))
    if stage.brief.wants("autumn"):
        wood = view.lit(srgb("#8f6a34"))
    line = 0.2 if stage.brief.wants("snow") else 0.62
    snow = step(line - 0.09, line + 0.09, heights + (inverse - np.float32(0.62)) * np.float32(0.55))
    white = view.lit(srgb("#f6f8fb"))
    shade = mix(white, hour.middle, 0.62)
    body = shaded(
        over(plain(frame, wood), rock, step(0.26, 0.5, heights + (np.float32(0.7) - inverse) * np.float32(0.4))), lit
    )
    face = shade * np.float32(0.85) + tinted(white - shade * np.float32(0.85), np.clip(facing * 1.5, 0, 1))
    body = over(body, face, f32(snow))
    haze = mix(hour.horizon, hour.middle, 0.4)
    air = 1 - np.exp(
        -(distance - np.float32(_NEAR * 0.8)) * np.float32(0.05 if not stage.brief.wants("foggy") else 0.3)
    )
    valley = np.float32(0.12) * step(0.45, 0.1, heights) * step(_NEAR, _NEAR * 2, distance)
    return over(body, haze, f32(np.clip(air + valley * (1 - air), 0, 0.95) + 0 * heights))

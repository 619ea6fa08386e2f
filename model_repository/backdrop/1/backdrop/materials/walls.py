"""What walls are made of: concrete, brick, plaster under paint."""

import numpy as np

from backdrop.bands import by_bands
from backdrop.colour import mix, srgb, tune
from backdrop.frame import Colour, Field, Frame, Picture
from backdrop.noise import octaves
from backdrop.pixels import f32, over, shaded, shifted, step, tinted
from backdrop.stage import Stage

_TALL, _WIDE, _GAP = np.float32(0.052), np.float32(0.155), np.float32(0.0075)
"""A brick with its mortar, and the mortar's half, in units."""


def concrete(stage: Stage, frame: Frame) -> Picture:
    """(H, W, 3): cast in forms: clouds, streaks, pinholes, the joints between boards and their tie holes."""
    colour = _named(stage, "#a9a8a5" if not stage.brief.wants("dark", "moody") else "#55585b")
    cloudy = np.float32(0.055) * octaves(frame, stage.rng("clouds"), 3, 7, gain=0.6)
    cloudy += np.float32(0.022) * octaves(frame, stage.rng("streaks"), 14, 3, gain=0.6, stretch=(1, 7))
    grit = octaves(frame, stage.rng("grit"), 220, 2, gain=0.85)
    pits = step(2.35, 2.75, octaves(frame, stage.rng("holes"), 130, 2, gain=0.7))
    lips = shifted(pits, frame, 0, -0.0006)
    warmth = octaves(frame, stage.rng("warmth"), 2, 4)
    cool, warm = tune(colour, turn=0.1), mix(colour, srgb("#b5a892"), 0.22)
    corner = stage.chance("joint x", -0.25, 0.05), stage.chance("joint y", 0.05, 0.2)

    def paint(band: Frame, *fields: Field) -> Picture:
        cloudy, grit, pits, lips, warmth = fields
        shade = 1 + cloudy + np.float32(0.02) * grit - np.float32(0.32) * pits
        shade += np.float32(0.12) * lips * (1 - pits)
        shade *= _joints(band, *corner)
        return shaded(cool + tinted(warm - cool, step(-1.5, 1.5, warmth)), shade)

    return by_bands(frame, paint, cloudy, grit, pits, lips, warmth)


def _joints(frame: Frame, left: float, top: float) -> Field:
    """Lines where two boards met, and the round holes of the ties that held them."""
    pixel = 0.8 / frame.unit
    wide, tall = 0.62, 0.42
    x = np.mod(frame.x - np.float32(left), np.float32(wide))
    y = np.mod(frame.y - np.float32(top), np.float32(tall))
    away = np.minimum(np.minimum(x, wide - x), np.minimum(y, tall - y))
    groove = step(0.0012 + pixel, 0.0002, away)
    lip = np.exp(-(((away - np.float32(0.0026)) / np.float32(0.0014)) ** 2))
    hole_x = np.minimum(np.abs(x - np.float32(0.13 * wide)), np.abs(x - np.float32(0.87 * wide)))
    hole_y = np.minimum(np.abs(y - np.float32(0.2 * tall)), np.abs(y - np.float32(0.8 * tall)))
    hole = step(0.0068 + pixel, 0.0062 - pixel, f32(np.sqrt(hole_x * hole_x + hole_y * hole_y)))
    inner = np.clip(np.float32(0.5) + hole_y * np.float32(40), 0.45, 0.9)
    return f32((1 - np.float32(0.4) * groove + np.float32(0.05) * lip) * (1 - hole * (1 - inner)))


def brick(stage: Stage, frame: Frame) -> Picture:
    """(H, W, 3): courses of bricks, no two alike, with mortar between them."""
    base = _named(stage, "#a65a40")
    burnt, pale = tune(base, light=-0.13, chroma=0.8), tune(base, light=0.1, turn=0.12, chroma=0.85)
    grey = mix(srgb("#b3a898"), base, 0.12)
    kinds = stage.rng("bricks").normal(0, 1, (64, 32, 2)).astype(np.float32)
    dark, light = step(0.2, 2.0, kinds[:, :, 0])[:, :, None], step(0.2, 2.2, kinds[:, :, 1])[:, :, None]
    clays = base + (burnt - base) * dark
    clays = f32(clays + (pale - clays) * light)

    def paint(band: Frame, wobble: Field, rough: Field, stain: Field) -> Picture:
        y = band.y + wobble + np.float32(0.02)
        course = np.floor(y / _TALL).astype(np.int64)
        x = band.x + np.float32(1) + wobble + np.where(course % 2 == 0, np.float32(0), _WIDE / 2)
        place = np.floor(x / _WIDE).astype(np.int64)
        in_x, in_y = f32(x - place * _WIDE), f32(y - course * _TALL)
        edge = np.minimum(np.minimum(in_x, _WIDE - in_x), np.minimum(in_y, _TALL - in_y))
        cover = step(0.0026, 0.0056, edge + rough * np.float32(0.0011))
        lit = np.exp(-np.abs(in_y - _GAP) * np.float32(333)) - np.exp(-np.abs(_TALL - _GAP - in_y) * np.float32(333))
        worn = np.float32(0.05) * stain
        clay = (1 + np.float32(0.09) * rough + worn) * (1 + np.float32(0.16) * lit)
        mortar = (np.float32(0.72) + np.float32(0.05) * rough + worn) * (1 - np.float32(0.35) * np.exp(in_y * -250))
        return over(tinted(grey, mortar), shaded(clays[course % 64, place % 32], clay), cover)

    wobble = octaves(frame, stage.rng("wobble"), 40, 3) * np.float32(0.0013)
    rough = octaves(frame, stage.rng("rough"), 60, 5, gain=0.75)
    return by_bands(frame, paint, wobble, rough, octaves(frame, stage.rng("stain"), 5, 4))


def plaster(stage: Stage, frame: Frame, colour: Colour) -> Picture:
    """(H, W, 3): painted, rolled, almost even."""
    hand = octaves(frame, stage.rng("hand"), 4, 5, gain=0.6)
    roller = octaves(frame, stage.rng("roller"), 200, 3, gain=0.8)
    return tinted(colour, 1 + np.float32(0.014) * hand + np.float32(0.009) * roller)


def _named(stage: Stage, usual: str) -> Colour:
    """The first colour that was named for it."""
    return stage.colours[0] if stage.colours else srgb(usual)

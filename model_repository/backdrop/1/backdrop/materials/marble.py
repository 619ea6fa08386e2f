"""Marble: clouded stone with veins along old cracks, thick and thin, some of them gold where that is asked for."""

import numpy as np

from backdrop.bands import by_bands
from backdrop.colour import lightness, mix, srgb, tune, with_lightness
from backdrop.frame import Colour, Field, Frame, Picture
from backdrop.noise import octaves, smooth
from backdrop.pixels import f32, over, step, tinted
from backdrop.stage import Stage

_VEINS = ((2.4, 0.17, 0.035, 0.75), (5.2, 0.12, 0.028, 0.5), (11, 0.08, 0.05, 0.25))
"""How many to the unit, how far stirred, how wide and how strong."""


def marble(stage: Stage, frame: Frame) -> Picture:
    """(H, W, 3) its colour, unlit."""
    stone, vein, gold = _colours(stage)
    angle = stage.chance("vein angle", 0.5, 1.1) * (1 if stage.chance("vein lean") < 0.5 else -1)
    along, across = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    stir = octaves(frame, stage.rng("stir"), 3, 5, gain=0.52)
    twist = octaves(frame, stage.rng("twist"), 2.2, 6, gain=0.5)
    clouds = octaves(frame, stage.rng("clouds"), 2.5, 6, gain=0.55)
    weight = step(-0.6, 1.4, smooth(frame, stage.rng("weight"), 4))
    fleck = step(0.1, 0.9, smooth(frame, stage.rng("gold"), 6)) if gold is not None else weight
    leaf = smooth(frame, stage.rng("leaf"), 60) if gold is not None else weight

    def paint(band: Frame, *fields: Field) -> Picture:
        stir, twist, clouds, weight, fleck, leaf = fields
        line = band.x * along + band.y * across + np.float32(0.035) * stir
        body = tinted(stone, 1 + np.float32(0.03) * (stir + clouds))
        shade = step(0.2, 2.2, clouds + np.float32(0.5) * stir)
        picture = over(body, mix(stone, vein, 0.5), f32(shade * np.float32(0.42)))
        for beat, stirring, width, strength in _VEINS:
            field = (line + np.float32(stirring) * twist) * np.float32(beat) + np.float32(beat * 0.37)
            thread = _threads(field, f32(width * (np.float32(0.25) + np.float32(1.2) * weight)))
            soft = _threads(field, width * 5)
            cover = soft * weight * np.float32(0.3)
            cover += thread * (np.float32(0.25) + np.float32(0.75) * weight) * (1 - cover)
            picture = over(picture, vein, f32(cover * np.float32(strength)))
            if gold is not None and beat < 5:
                shine = tinted(gold, 1 + np.float32(0.35) * leaf)
                picture = over(picture, shine, f32(fleck * thread * np.float32(0.9)))
        return picture

    return by_bands(frame, paint, stir, twist, clouds, weight, fleck, leaf)


def _threads(field: Field, width: Field | float) -> Field:
    """1 on the lines where `field` passes a whole number, gone at `width` from them."""
    away = np.abs(field - np.rint(field))
    away /= np.float32(width) if isinstance(width, float) else width
    return f32(np.exp(-(away * away)))


def _colours(stage: Stage) -> tuple[Colour, Colour, Colour | None]:
    """Of the stone, its veins, and of the metal in them if any."""
    brief = stage.brief
    metal = srgb("#c99a3f")
    golden = [c for c in brief.meanings if c.name in ("gold", "goldenrod", "copper", "rosegold")]
    metals = [tuple(meaning.colour) for meaning in golden]
    others = [colour for colour in stage.colours if tuple(colour) not in metals]
    gold = golden[0].colour if golden else metal if brief.wants("elegant") or stage.chance("metal") < 0.25 else None
    if others:
        stone = others[0]
    elif brief.wants("dark", "moody", "dramatic"):
        stone = srgb("#22252a")
    else:
        stone = srgb(str(stage.rng("stone").choice(("#eeecea", "#f1efec", "#ece7e0", "#e9ebed"))))
    if lightness(stone) < 0.55:
        return stone, with_lightness(stone, min(lightness(stone) + 0.42, 0.9), 0.5), gold
    return stone, tune(with_lightness(stone, lightness(stone) - 0.33, 0.8), turn=0.1), gold

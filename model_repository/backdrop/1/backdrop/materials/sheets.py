"""Paper and cloth."""

import numpy as np

from backdrop.bands import by_bands
from backdrop.colour import srgb, tune
from backdrop.frame import Colour, Field, Frame, Picture
from backdrop.noise import octaves, smooth
from backdrop.palette import backdrop_colours
from backdrop.pixels import blur, f32, resize, shaded, shifted, slope, step, tinted
from backdrop.stage import Stage


def paper(stage: Stage, frame: Frame) -> Picture:
    """(H, W, 3): fibres, tooth, the faintest waviness of a sheet."""
    kraft = stage.brief.wants("kraft")
    colour = stage.colours[0] if stage.colours else srgb("#c49a6c") if kraft else srgb("#f0ece3")
    fibres = octaves(frame, stage.rng("fibres"), 90, 4, gain=0.8, stretch=(2.2, 1))
    cross = octaves(frame, stage.rng("cross"), 90, 4, gain=0.8, stretch=(1, 2.2))
    pulp = octaves(frame, stage.rng("pulp"), 7, 5, gain=0.62)
    tooth = octaves(frame, stage.rng("tooth"), 260, 2, gain=0.9)
    cross += fibres
    relief = tooth + np.float32(0.6) * cross
    wave = octaves(frame, stage.rng("wave"), 2, 2)
    strength = np.float32(1.7 if kraft else 1.0)

    def paint(_band: Frame, *fields: Field) -> Picture:
        relief, beside, threads, pulp, wave, before, *flecks = fields
        shade = np.float32(0.022) * (relief - beside) + np.float32(0.014) * threads + np.float32(0.016) * pulp
        shade = 1 + strength * shade + np.float32(0.018) * (wave - before)
        if flecks:
            shade -= np.float32(0.3) * step(2.2, 3.0, flecks[0])
        return tinted(colour, shade)

    fields = [relief, shifted(relief, frame, 0.0005 * stage.light_side, 0.0005), cross, pulp]
    fields += [wave, shifted(wave, frame, 0.05)]
    if kraft:
        fields.append(octaves(frame, stage.rng("flecks"), 300, 2, stretch=(4, 1)))
    return by_bands(frame, paint, *fields)


def fabric(stage: Stage, frame: Frame) -> Picture:
    """(H, W, 3), lit: cloth in folds, woven where it is linen, shining where it is silk, deep where it is velvet."""
    brief = stage.brief
    kind = next((name for name in ("silk", "velvet", "linen") if brief.wants(name)), None)
    kind = kind or str(stage.rng("cloth").choice(("linen", "silk")))
    colour = backdrop_colours(stage)[0]
    small = frame.at_most(900)
    height = _folds(stage, small, deep=kind != "linen")
    slope_x = slope(height, small, 1)
    slope_y = slope(height, small, 0)
    inverse = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
    side = np.float32(stage.light_side * 0.62)
    facing = (slope_x * -side + slope_y * np.float32(0.42) + np.float32(0.72)) * inverse
    lit = np.clip(facing, 0, 1.2)
    shine = np.clip((slope_x * -side * 0.8 + slope_y * np.float32(0.3) + 1) * inverse / np.float32(1.22), 0, 1)
    picture = _cloth(kind, colour, lit, f32(shine), f32(inverse))
    if (small.width, small.height) != (frame.width, frame.height):
        picture = resize(picture, frame)
    return shaded(picture, _weave(stage, frame)) if kind == "linen" else picture


def _cloth(kind: str, colour: Colour, lit: Field, shine: Field, flat: Field) -> Picture:
    deep = tune(colour, light=-0.14, chroma=1.08)
    body = deep + tinted(colour - deep, np.clip(lit, 0, 1))
    if kind == "silk":
        gloss = shine**24 * np.float32(0.42) + shine**6 * np.float32(0.16)
        pale = tune(colour, light=0.16, chroma=0.7)
        return shaded(body, np.float32(0.1) + np.float32(0.8) * lit * lit) + tinted(pale, gloss)
    if kind == "velvet":
        # Pile: dark where it is seen from above, bright along the edges of folds.
        rim = np.clip(1 - flat, 0, 1) ** np.float32(0.8)
        return shaded(body, np.float32(0.1) + np.float32(0.42) * lit + np.float32(1.1) * rim * lit)
    return shaded(body, np.float32(0.34) + np.float32(0.74) * lit)


def _folds(stage: Stage, frame: Frame, *, deep: bool) -> Field:
    """A cloth's height in units: folds that run across it, meet, and end."""
    rng = stage.rng("folds")
    angle = rng.uniform(0.25, 0.8) * stage.light_side
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    stir, twist = (smooth(frame, stage.rng(name), 2.4) for name in ("stir", "twist"))
    across = frame.x * cos + frame.y * sin + stir * np.float32(0.075)
    along = frame.y * cos - frame.x * sin
    total = np.zeros((frame.height, frame.width), np.float32)
    for index, (beat, strength) in enumerate(((7, 0.11), (13, 0.05), (24, 0.016))):
        phase = np.float32(rng.uniform(0, 6.28)) + twist * np.float32(0.9 + 0.5 * index)
        wave = np.sin(across * np.float32(beat) + phase + along * np.float32(rng.uniform(-2, 2)))
        # Rounded above, creased below, as cloth hangs.
        wave = 1 - np.sqrt(np.float32(0.03) + (1 - wave) * np.float32(0.5))
        some = step(-1.0, 0.8, smooth(frame, stage.rng(f"some {index}"), 3)) if index else np.float32(1)
        total += wave * some * np.float32(strength * (1 if deep else 0.07))
    return blur(f32(total), frame, 0.0022)


def _weave(stage: Stage, frame: Frame) -> Field:
    """Threads over and under each other, no two equally thick."""
    threads = np.float32(190 * 2 * np.pi)
    wander_x, wander_y = (octaves(frame, stage.rng(name), 9, 3) * np.float32(0.0018) for name in ("warp", "weft"))
    uneven_x = octaves(frame, stage.rng("warp slub"), 170, 2, stretch=(1, 24))
    uneven_y = octaves(frame, stage.rng("weft slub"), 170, 2, stretch=(24, 1))
    if frame.unit < 700:
        return f32(1 + np.float32(0.035) * (uneven_x + uneven_y))
    warp_thread = np.sin((frame.x + wander_x) * threads)
    weft_thread = np.sin((frame.y + wander_y) * threads)
    over_under = np.float32(0.06) * (warp_thread * weft_thread) - np.float32(0.045) * (
        np.abs(warp_thread) + np.abs(weft_thread) - 1
    )
    strength = np.float32(step(700, 1600, f32(frame.unit)))
    return f32(1 + over_under * strength + np.float32(0.035) * (uneven_x + uneven_y))

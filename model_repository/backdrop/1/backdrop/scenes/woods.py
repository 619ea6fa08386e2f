"""Green things out of focus: a forest with light falling through it, a meadow in flower."""

import numpy as np

from backdrop.colour import mix, srgb, tune
from backdrop.discs import Disc, add_disc
from backdrop.frame import Colour, Frame, Picture
from backdrop.light import HOURS, Hour, glow, hour_of, pool
from backdrop.noise import line, octaves, smooth
from backdrop.pixels import blur, f32, lens, over, plain, shaded, step, tinted
from backdrop.scenes.sky import sky
from backdrop.stage import Stage
from backdrop.view import View

_SIDE = 768

Leaves = tuple[Colour, Colour, Colour]
"""Dark, middle, light."""


def _leaves(stage: Stage, hour: Hour) -> Leaves:
    """The colours of the foliage: the season's, or the prompt's."""
    brief = stage.brief
    if brief.colours:
        base = brief.colours[0]
        tones = (tune(base, light=-0.28, chroma=0.7), base, tune(base, light=0.2))
    elif brief.wants("autumn"):
        tones = (srgb("#4a2410"), srgb("#c2691c"), srgb("#f5b945"))
    elif brief.wants("snow"):
        tones = (srgb("#2e3c3a"), srgb("#8fa3a6"), srgb("#eef4f7"))
    else:
        tones = (srgb("#152c14"), srgb("#4f8a32"), srgb("#c4dd6c"))
    light = 0.9 if hour.ground > 0.5 else 0.55 if hour.ground > 0.2 else 0.16
    tint = hour.sun * np.float32(0.65) + hour.ambient * np.float32(0.35)
    dark, middle, bright = (f32(tone * tint * np.float32(light * 1.25)) for tone in tones)
    return dark, middle, bright


def forest(stage: Stage) -> Picture:
    """Trunks and leaves, far behind the subject; the sun breaks through as discs of light."""
    frame = stage.frame.at_most(_SIDE)
    hour = hour_of(stage.brief, "day") if not stage.brief.colours else HOURS[stage.brief.time("day")]
    leaves = _leaves(stage, hour)
    at = stage.horizon(0.72)
    high = frame.height / frame.unit
    masses = octaves(frame, stage.rng("masses"), 4, 4, gain=0.6)
    sun = pool(frame, stage.light_side * 0.2, 0.3 * high, 0.34, squeeze=0.9)
    bright = np.clip(np.float32(0.34) + np.float32(0.2) * masses + np.float32(0.55) * sun, 0, 1.15)
    picture = over(plain(frame, leaves[0]), leaves[1], step(0.12, 0.62, bright))
    picture = over(picture, leaves[2], step(0.6, 1.2, bright) * np.float32(0.85))
    picture = _trunks(stage, frame, picture, leaves, at)
    crowns = step(-0.3, 1.1, octaves(frame, stage.rng("crowns"), 5, 4, gain=0.6) + (np.float32(0.3) - frame.v) * 3)
    leaf = leaves[1] + tinted(
        f32(leaves[2] - leaves[1]), np.clip(masses * np.float32(0.3) + sun * np.float32(0.8), 0, 1)
    )
    picture = over(picture, leaf, crowns * np.float32(0.8))
    picture = lens(picture, frame, 0.011)
    picture = _forest_floor(stage, frame, picture, leaves, at)
    _glints(stage, frame, picture, (leaves[2], hour.sun), at)
    air = mix(leaves[2], hour.horizon, 0.5)
    fog = 0.75 if stage.brief.wants("foggy") else 0.22
    veil = (
        np.exp(-(((frame.v - np.float32(at - 0.12)) / np.float32(0.26)) ** 2)) * np.float32(fog) * (0.45 + 0.55 * sun)
    )
    picture = over(picture, air, f32(np.clip(veil, 0, 0.9)))
    rays = _rays(stage, frame) if stage.brief.wants("sun", "dramatic", "foggy") or hour.height < 0.3 else None
    return picture if rays is None else picture + tinted(hour.sun, rays)


def _trunks(stage: Stage, frame: Frame, picture: Picture, leaves: Leaves, at: float) -> Picture:
    """Three rows of trunks; the middle stays free."""
    for row, (count, width, strength) in enumerate(((16, 0.007, 0.45), (9, 0.014, 0.65), (5, 0.028, 0.85))):
        rng = stage.rng(f"trunks {row}")
        cover = np.zeros((1, frame.width), np.float32)
        for _ in range(count):
            x = rng.uniform(0.08 * row, 0.55) * rng.choice((-1.0, 1.0))
            half = np.float32(width * rng.uniform(0.6, 1.3))
            cover = np.maximum(cover, step(float(half) * 1.25, float(half) * 0.75, np.abs(frame.x - np.float32(x))))
        fade = step(at + 0.06 + 0.04 * row, at + 0.0 + 0.03 * row, frame.v)
        bark = mix(leaves[0], srgb("#3a2c20"), 0.35) * np.float32(0.75)
        picture = over(picture, f32(bark), f32(cover * fade * np.float32(strength)))
    return picture


def _forest_floor(stage: Stage, frame: Frame, picture: Picture, leaves: Leaves, at: float) -> Picture:
    edge = line(stage.rng("floor"), 3, frame.x, 3) * np.float32(0.01)
    patches = octaves(frame, stage.rng("patches"), 7, 4, gain=0.6, stretch=(3.2, 0.7))
    lit = np.clip(np.float32(0.42) + np.float32(0.26) * patches + np.float32(0.3) * pool(frame, 0, at, 0.5), 0, 1)
    earth = mix(leaves[0], srgb("#4b3a26"), 0.3)
    ground = over(plain(frame, f32(earth)), mix(leaves[1], leaves[2], 0.25), f32(step(0.25, 1.0, lit)))
    ground = shaded(ground, 1 - np.float32(0.45) * step(at + 0.05, 1.05, frame.v))
    return over(picture, blur(ground, frame, 0.006, 0.003), step(at - 0.035, at + 0.045, frame.v - edge))


def _glints(stage: Stage, frame: Frame, picture: Picture, lights: tuple[Colour, Colour], at: float) -> None:
    """Gaps in the leaves, out of focus."""
    rng = stage.rng("glints")
    high = frame.height / frame.unit
    white = mix(*lights, 0.5)
    for _ in range(210):
        x, y = rng.normal(0, 0.3), rng.normal(0.32, 0.19) * high
        size, power = rng.random() ** 2, rng.random() ** 2
        if y > at * high:
            continue
        colour = mix(lights[0], white, float(rng.random()))
        strength = np.float32((0.05 + 0.34 * power) * (1.25 - size))
        add_disc(picture, frame, Disc(float(x), float(y), 0.006 + 0.026 * size, f32(colour * strength), 0.75))


def _rays(stage: Stage, frame: Frame) -> Picture:
    """Sunbeams through the crowns, from above on the light's side."""
    side = stage.light_side
    angle = np.arctan2(frame.x - np.float32(side * 0.5), frame.y + np.float32(0.3))
    beams = line(stage.rng("beams"), 26, f32(angle / np.float32(2.2)), 3)
    fade = np.exp(-frame.y * np.float32(1.5)) * glow(frame, side * 0.35, 0.0, 0.5, power=1.5)
    return f32(np.clip(beams, 0, 2) * fade * np.float32(0.2))


def meadow(stage: Stage) -> Picture:
    """Grass and flowers: sharp nowhere, softest near and far, trees and sky behind."""
    frame = stage.frame.at_most(_SIDE)
    brief = stage.brief
    hour = HOURS[brief.time("golden" if brief.wants("lavender") else "day")]
    at = stage.horizon(0.5)
    view = View(stage, frame, hour, at)
    picture = sky(view, clouds=0.5)
    wood = mix(view.lit(srgb("#3c5e30")), hour.horizon, 0.42)
    crowns = line(stage.rng("crowns"), 9, frame.x, 4, gain=0.55)
    top = np.float32(at - 0.055) - crowns * np.float32(0.022)
    picture = lens(over(picture, wood, step(-0.006, 0.006, frame.v - top)), frame, 0.008)
    picture = over(picture, _grass(view), step(at - 0.02, at + 0.03, frame.v + 0 * frame.x))
    _flowers(view, picture)
    warm = glow(frame, view.sun.x, at * view.high, 0.4, power=2)
    return picture + tinted(hour.sun, warm * np.float32(0.16 if hour.ground > 0.2 else 0.03))


def _grass(view: View) -> Picture:
    stage, frame, at = view.stage, view.frame, view.at
    green = view.lit(srgb("#6f9a36"))
    dark, light = f32(green * np.float32(0.42)), tune(green, light=0.1)
    depth = np.clip((frame.v - np.float32(at)) / np.float32(1 - at), 0, 1)
    swathes = octaves(frame, stage.rng("swathes"), 8, 4, gain=0.6, stretch=(3, 0.7))
    blades = octaves(frame, stage.rng("blades"), 55, 3, gain=0.7, stretch=(0.7, 3.2))
    lit = (
        np.float32(0.55) + np.float32(0.14) * swathes + np.float32(0.15) * blades * depth - np.float32(0.28) * depth**2
    )
    picture = over(plain(frame, dark), light, f32(np.clip(lit, 0, 1)))
    if stage.brief.wants("lavender"):
        purple = view.lit(srgb("#7a52e0"))
        rows = (frame.x - np.float32(0.12 * stage.light_side)) / (depth * np.float32(0.5) + np.float32(0.03))
        strips = step(-0.25, 0.45, np.sin(rows * np.float32(8.5)) + blades * np.float32(0.22))
        picture = over(picture, f32(purple * (np.float32(0.85))), f32(strips * np.float32(0.88)))
    return blur(picture, frame, 0.0042)


def _flowers(view: View, picture: Picture) -> None:
    """Small and many far away, large and few near, fewest in the middle where the subject is."""
    stage, frame, at = view.stage, view.frame, view.at
    brief = stage.brief
    if not brief.allows("flowers"):
        return
    named = brief.colours or ((srgb("#9a78f0"),) if brief.wants("lavender") else ())
    usual = ("#f4f0e2", "#f2c230", "#e86a92", "#c9a3e6", "#e2463f", "#7fa4e8")
    petals = tuple(view.lit(colour) for colour in (named or tuple(srgb(text) for text in usual)))
    rng = stage.rng("flowers")
    kinds = smooth(frame, stage.rng("kinds"), 4)
    for depth in np.sort(rng.random(230) ** 1.5):
        x = rng.uniform(-0.56, 0.56)
        jitter = rng.random(4)
        if depth > 0.3 and abs(x) < 0.2 and jitter[0] < 0.75:
            continue
        y = (at + 0.02 + (1.02 - at) * depth) * view.high
        column, row = int((x + 0.5) * (frame.width - 1)), int(np.clip(y * frame.unit, 0, frame.height - 1))
        kind = (kinds[row, np.clip(column, 0, frame.width - 1)] + jitter[1] * 1.6) * 1.7
        colour = petals[int(np.floor(kind)) % len(petals)]
        radius = (0.0034 + 0.024 * depth**1.5) * (0.7 + 0.6 * jitter[2])
        strength = np.float32(0.6 - 0.3 * depth)
        add_disc(picture, frame, Disc(x, float(y), radius, f32(colour * strength), 0.35), squeeze=1.3)

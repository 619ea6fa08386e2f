"""Skies: the hour's colours, clouds in perspective lit by the sun, stars at night. Landscapes use them too."""

from collections.abc import Sequence

import numpy as np

from backdrop.colour import mix, ramp, srgb, tune
from backdrop.frame import Colour, Field, Frame, Picture
from backdrop.light import glow, hour_of
from backdrop.noise import octaves, tile
from backdrop.pixels import blur, f32, over, remap, shaded, step, tinted
from backdrop.stage import Stage
from backdrop.view import SOFT, View

_TILE = 512


def paint(stage: Stage) -> Picture:
    """Nothing but sky, down to haze."""
    return sky(View(stage, stage.frame.at_most(SOFT), hour_of(stage.brief, "day"), 1.08), clouds=1.0)


def sky(view: View, *, clouds: float = 0.7, stars: bool = True) -> Picture:
    """(H, W, 3): the sky above the horizon, its haze going on below. `clouds`: how many, 0–1, if none are named."""
    stage, frame, hour, sun = view.stage, view.frame, view.hour, view.sun
    up = f32(np.clip(1 - frame.v / np.float32(view.at), 0, 1)) + np.zeros_like(frame.x)
    stops = [(0.0, hour.horizon), (0.16, mix(hour.horizon, hour.middle, 0.45)), (0.42, hour.middle), (1.0, hour.zenith)]
    picture = ramp(up, stops)
    near = glow(frame, sun.x, sun.y, 0.16, power=2.4, squeeze=1.25)
    strength = 0.1 if sun.moon else 0.5
    picture += tinted(hour.sun, near * np.float32(strength))
    if sun.moon and stars and stage.brief.allows("stars"):
        picture += shaded(_stars(stage, frame, 0.5), step(0.02, 0.5, up))
    brief = stage.brief
    if brief.allows("clouds"):
        amount = clouds * stage.chance("cloudiness", 0.45, 1.0)
        if brief.wants("clouds", "dramatic"):
            amount = 1.3 if brief.wants("dramatic") else 1.0
        if brief.wants("minimal"):
            amount *= 0.4
        picture = _clouds(view, picture, up, amount)
    if brief.wants("foggy"):
        picture = over(picture, hour.horizon, f32(0.75 * np.exp(-up * 3)))
    return picture


def _clouds(view: View, picture: Picture, up: Field, amount: float) -> Picture:
    """Two layers: high veils, drawn out by the wind, and heaps below them, bright towards the sun."""
    stage, frame, hour, sun = view.stage, view.frame, view.hour, view.sun
    depth = f32(1 / (up + np.float32(0.26)))
    across = f32(frame.x * depth)
    rng = stage.rng("clouds")
    heap, veil = tile(rng, _TILE, 4, 6, gain=0.54), tile(rng, _TILE, 4, 5, gain=0.6)
    shift = [float(value) for value in rng.uniform(0, _TILE, 4)]
    fade = step(0.0, 0.16, up)

    thin = _plane(veil, across * np.float32(0.32), depth * np.float32(0.9), shift[:2])
    cover = step(0.2, 2.4, thin + np.float32(0.9 * amount - 0.5)) * fade * np.float32(0.5)
    veil_light = mix(hour.horizon, srgb("#ffffff"), 0.35) if not sun.moon else tune(hour.horizon, light=-0.05)
    picture = over(picture, veil_light, cover)

    place = (f32(across * 1.05), f32(depth * 1.7))
    dense = _plane(heap, *place, shift[2:])
    # Towards the sun a cloud is thinner or thicker: that is its light.
    toward = f32(np.tanh((np.float32(sun.x) - frame.x) * 5) * np.float32(0.03) * depth)
    lit = dense - _plane(heap, f32(place[0] + toward), f32(place[1] - np.float32(0.05) * depth), shift[2:])
    lit = np.clip(np.float32(0.56) + lit * np.float32(0.55), 0, 1)
    cover = step(0.3, 1.05, dense + np.float32(1.15 * amount - 0.9)) * fade
    dark = mix(hour.middle, hour.ambient, 0.5)
    if stage.brief.wants("dramatic", "moody"):
        dark = tune(dark, light=-0.2, chroma=0.6)
    sunlit = hour.sun * np.float32(0.09 if sun.moon else 0.92)
    bright = mix(sunlit, hour.horizon, 0.25)
    shade = ramp(f32(lit), [(0.15, dark), (0.55, mix(dark, bright, 0.62)), (0.95, bright)])
    warm = glow(frame, sun.x, sun.y, 0.3, power=2)
    shade += tinted(hour.sun, warm * (1 - cover * np.float32(0.5)) * np.float32(0.02 if sun.moon else 0.22))
    return over(picture, shade, f32(cover * np.float32(0.92)))


def _plane(texture: Field, across: Field, depth: Field, shift: Sequence[float]) -> Field:
    scale = np.float32(_TILE / 4)
    return remap(texture, f32(across * scale + shift[0]), f32(depth * scale + shift[1]), wrap=True)


def _stars(stage: Stage, frame: Frame, amount: float) -> Picture:
    """Points of all brightnesses, many faint and few bright, white to bluish and amber."""
    rng = stage.rng("stars")
    count = round(900 * amount)
    places, power = rng.random((count, 2)), rng.pareto(1.35, count) * 0.022 + 0.008
    tints = np.stack([srgb("#cfdcff"), srgb("#ffffff"), srgb("#ffe2bd")])[rng.integers(3, size=count)]
    picture = np.zeros((frame.height, frame.width, 3), np.float32)
    sharp = frame.unit / 1024
    for (x, y), strength, tint in zip(places, np.minimum(power, 1.2), tints, strict=True):
        column = int((x - 0.5) * frame.unit + frame.width / 2)
        row = int(y * frame.unit)
        if 0 <= column < frame.width and 0 <= row < frame.height:
            picture[row, column] += tint * np.float32(strength * 9 * sharp**2)
    return blur(picture, frame, 0.00075) + np.float32(0.5) * blur(picture, frame, 0.0035)


def stars(stage: Stage) -> Picture:
    """The night sky far from any lamp: the Milky Way across it, a far glow below."""
    frame = stage.frame.at_most(SOFT)
    hour = hour_of(stage.brief, "night")
    high = frame.height / frame.unit
    picture = ramp(
        frame.v + 0 * frame.x, [(0, hour.zenith), (0.6, mix(hour.zenith, hour.middle, 0.7)), (1, hour.horizon)]
    )
    rng = stage.rng("milky way")
    angle = rng.uniform(0.5, 1.0) * stage.light_side
    along = (frame.x * np.cos(angle) + (frame.y - high * 0.4) * np.sin(angle)).astype(np.float32)
    across = (-frame.x * np.sin(angle) + (frame.y - high * 0.4) * np.cos(angle)).astype(np.float32)
    cloud = octaves(frame, stage.rng("dust"), 5, 6, gain=0.6)
    fine = octaves(frame, stage.rng("fine dust"), 12, 5, gain=0.62)
    band = np.exp(-(((across + cloud * np.float32(0.025)) / np.float32(0.16)) ** 2)) * np.exp(-((along / 0.9) ** 2))
    core = np.exp(-(((across + cloud * np.float32(0.02)) / np.float32(0.06)) ** 2)) * np.exp(-((along / 0.5) ** 2))
    lanes = step(0.1, 1.5, fine + cloud * np.float32(0.6)) * core
    colours = _nebula(stage)
    glowing = band * (np.float32(0.6) + np.float32(0.25) * fine)
    picture += tinted(colours[0], np.maximum(glowing, 0) * np.float32(0.16))
    picture += tinted(colours[1], np.maximum(core * (1 + np.float32(0.4) * cloud), 0) * np.float32(0.2))
    picture = shaded(picture, 1 - np.float32(0.7) * lanes)
    picture += shaded(_stars(stage, frame, 2.6), np.float32(0.5) + band)
    picture += tinted(hour.horizon, np.float32(0.5) * np.exp((frame.v - 1) * np.float32(7)) + 0 * frame.x)
    return f32(picture)


def _nebula(stage: Stage) -> tuple[Colour, Colour]:
    named = stage.brief.colours
    if named:
        return named[0], named[-1]
    pairs = (("#7d8fd8", "#e9b8c9"), ("#6aa3d8", "#f0cfae"), ("#8a6fd0", "#f2a9b8"))
    first, second = pairs[int(stage.rng("nebula").integers(3))]
    return srgb(first), srgb(second)

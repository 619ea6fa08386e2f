"""Land to the horizon: green hills, mountains, dunes, winter."""

from functools import partial

import numpy as np

from backdrop.bands import together
from backdrop.colour import mix, srgb, tune
from backdrop.discs import Disc, add_disc
from backdrop.frame import Colour, Picture
from backdrop.light import hour_of
from backdrop.noise import line, octaves
from backdrop.pixels import blur, f32, over, shifted, slope, step, tinted
from backdrop.scenes.ridges import Ridge, cover_of, lay, profile
from backdrop.scenes.sky import sky
from backdrop.stage import Stage
from backdrop.view import SOFT, View


def hills(stage: Stage) -> Picture:
    """Rolling hills, one behind another, a meadow in front."""
    at = stage.horizon(0.62)
    view = View(stage, stage.frame.at_most(SOFT), hour_of(stage.brief, "golden"), at)
    picture = sky(view, clouds=0.6)
    far, near = ("#a9793a", "#8a5a24") if stage.brief.wants("autumn") else ("#6f8f4a", "#4f7a2c")
    count = 5
    for index in range(count):
        part = index / (count - 1)
        ridge = Ridge(
            f"hill {index}",
            at - 0.09 + 0.2 * part**1.4,
            0.035 + 0.012 * part,
            2.2 + (index % 3),
            3,
            0.86 - 0.72 * part,
            0.36,
        )
        ground = view.lit(mix(srgb(far), srgb(near), part))
        if index >= 2:
            picture = _trees(view, picture, ridge)
        picture = lay(view, picture, ridge, _slope(view, ground, ridge))
    return grass(view, picture, at + 0.14, near)


def _slope(view: View, ground: Colour, ridge: Ridge) -> Picture:
    """Fields and folds on a hill, lighter where it leans towards the sun."""
    stage, frame, sun = view.stage, view.frame, view.sun
    top = profile(stage, frame, ridge)
    lean = slope(top, frame, 1) * np.float32(0.9)
    facing = np.clip(lean * np.float32(-np.sign(sun.x)), -0.5, 0.5)
    folds = octaves(frame, stage.rng(f"{ridge.name} folds"), 6, 4, stretch=(2.5, 0.8))
    shade = 1 + facing * np.float32(0.5) + folds * np.float32(0.1)
    shade += np.float32(0.35) * np.exp(-np.maximum(frame.v - top, 0) * np.float32(30))
    return tinted(ground, shade)


def _trees(view: View, picture: Picture, ridge: Ridge) -> Picture:
    """Woods along a crest."""
    stage, frame, hour = view.stage, view.frame, view.hour
    top = profile(stage, frame, ridge)
    crowns = np.abs(line(stage.rng(f"{ridge.name} crowns"), 60, frame.x, 3, gain=0.6))
    woods = step(0.1, 0.9, line(stage.rng(f"{ridge.name} woods"), 5, frame.x, 2))
    high = top - (np.float32(0.006) + crowns * np.float32(0.012)) * woods * np.float32(1.3 - ridge.air)
    wood = mix(view.lit(srgb("#33502a")), mix(hour.horizon, hour.middle, 0.3), min(ridge.air + 0.22, 1.0))
    return over(picture, wood, f32(cover_of(frame, f32(high), 0.006)))


def grass(view: View, picture: Picture, at: float, colour: str) -> Picture:
    """What the subject stands on, below the height `at`: grass out of focus, lit in patches."""
    stage, frame = view.stage, view.frame
    edge = line(stage.rng("ground"), 2, frame.x, 3, gain=0.4) * np.float32(0.02)
    below = frame.v - np.float32(at) - edge
    depth = np.clip(below, 0, 1)
    patches = octaves(frame, stage.rng("patches"), 9, 4, stretch=(3, 0.8))
    blades = octaves(frame, stage.rng("blades"), 70, 3, gain=0.7, stretch=(0.7, 2.2))
    shade = np.float32(0.95) + patches * np.float32(0.17) + blades * np.float32(0.12) * step(0.0, 0.3, depth)
    shade *= 1 - np.float32(0.22) * step(0.1, 0.5, depth)
    warm = f32(view.hour.sun * f32(view.hour.ground))
    turf = tinted(mix(view.lit(tune(srgb(colour), light=0.06)), warm, 0.12), np.maximum(shade, 0.1))
    return over(picture, blur(turf, frame, 0.0035), cover_of(frame, f32(at + edge), 0.016))


def desert(stage: Stage) -> Picture:
    """Dunes, each with a lit and a dark side along its crest."""
    at = stage.horizon(0.56)
    view = View(stage, stage.frame.at_most(SOFT), hour_of(stage.brief, "golden"), at)
    sand = view.lit(srgb("#e7b878")) * np.float32(1.25)
    parts = [index / 4 for index in range(5)]
    ridges = [
        Ridge(
            f"dune {index}",
            at - 0.02 + 0.3 * part**1.35,
            0.03 + 0.022 * part,
            2.6 - 0.9 * part,
            2,
            0.62 * (1 - part),
            0.3,
        )
        for index, part in enumerate(parts)
    ]
    dunes = (partial(_dune, view, f32(sand), ridge, part) for ridge, part in zip(ridges, parts, strict=True))
    picture, *bodies = together(partial(sky, view, clouds=0.25), *dunes)
    for ridge, body in zip(ridges, bodies, strict=True):
        picture = lay(view, picture, ridge, body)
    return picture


def _dune(view: View, sand: Colour, ridge: Ridge, near: float) -> Picture:
    stage, frame, hour, sun = view.stage, view.frame, view.hour, view.sun
    top = profile(stage, frame, ridge)
    below = frame.v - top
    # A crest wanders down the dune's face; on one side of it lies the shadow.
    spine = line(stage.rng(f"{ridge.name} spine"), 3, frame.x, 2, gain=0.35)
    side = np.float32(-np.sign(sun.x))
    lean = slope(top, frame, 1)
    shadow = step(-0.05, 0.1, lean * side + spine * np.float32(0.04))
    shadow = shadow * step(0.25, 0.0, below - np.float32(0.05) * spine)
    ripples = np.sin((below * 300 + octaves(frame, stage.rng("ripple warp"), 5, 3) * 5).astype(np.float32))
    fine = ripples * np.float32(0.05 * near**2) * step(0.02, 0.2, below)
    rim = np.float32(0.18) * np.exp(-np.maximum(below, 0) * np.float32(45))
    shade = (1 - np.float32(0.52) * shadow) * (np.float32(0.95) + fine + rim)
    cool = mix(sand, hour.zenith, 0.25)
    body = over(tinted(sand, shade), tinted(cool, shade), f32(shadow * 0.55))
    return blur(body, frame, 0.0016)


def snow(stage: Stage) -> Picture:
    """A white slope before dark firs out of focus, flakes in the air."""
    frame, hour, at = stage.frame.at_most(SOFT), hour_of(stage.brief, "day"), stage.horizon(0.62)
    view = View(stage, frame, hour, at)
    pale = mix(hour.horizon, hour.middle, 0.35)
    picture = sky(view, clouds=1.0) * np.float32(0.55) + pale * np.float32(0.45)
    for index in range(4):
        air = 0.8 - 0.2 * index
        picture = _firs(view, picture, index, mix(view.lit(srgb("#2c4038")), pale, air))
    picture = blur(picture, frame, 0.0062)
    drift = line(stage.rng("drift"), 2, frame.x, 3, gain=0.4) * np.float32(0.014)
    top = f32(np.float32(at + 0.015) + drift)
    soft = octaves(frame, stage.rng("drifts"), 4, 4, gain=0.42, stretch=(2.4, 0.8))
    relief = soft - shifted(soft, frame, -0.012 * stage.light_side)
    white = view.lit(srgb("#f3f7fc"))
    blue = mix(white, hour.middle, 0.4)
    lit = np.clip(np.float32(0.68) + relief * np.float32(0.16) - (frame.v - top) * np.float32(0.25), 0, 1)
    picture = over(picture, blue + tinted(white - blue, lit), cover_of(frame, top, 0.004))
    rng = stage.rng("flakes")
    for x, y, size in rng.random((110 if stage.brief.allows("snowfall") else 0, 3)):
        radius = 0.0012 + 0.009 * size**5
        add_disc(picture, frame, Disc(x - 0.5, y, radius, white * np.float32(0.32 - 0.2 * size), 0.3))
    return picture


def _firs(view: View, picture: Picture, index: int, colour: Colour) -> Picture:
    """A row of firs: cones side by side, with ragged edges."""
    stage, frame, at = view.stage, view.frame, view.at
    rng = stage.rng(f"firs {index}")
    count = 34 - 6 * index
    size = 0.1 + 0.07 * index
    cover = np.zeros((frame.height, frame.width), np.float32)
    ragged = octaves(frame, stage.rng(f"needles {index}"), 60, 3, gain=0.7, stretch=(1, 0.6)) * np.float32(0.006)
    aspect = frame.height / frame.unit
    for x, tall in zip(rng.uniform(-0.55, 0.55, count), rng.uniform(0.55, 1.1, count), strict=True):
        gap = abs(x) < 0.09 * index  # A clearing in the middle, where the subject is.
        high = size * tall * (0.55 if gap else 1.0)
        top = at * aspect - high * 0.9
        left, right = (int((x + s * high * 0.3) * frame.unit + frame.width / 2) for s in (-1, 1))
        columns = slice(max(0, left), max(0, min(frame.width, right)))
        fall = frame.y - np.float32(top)
        half = np.maximum(fall, 0) * np.float32(0.24) + ragged[:, columns]
        cone = step(0.003, -0.003, np.abs(frame.x[:, columns] - np.float32(x)) - half) * (fall > 0)
        cover[:, columns] = np.maximum(cover[:, columns], cone)
    return over(picture, colour, cover)

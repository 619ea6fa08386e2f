"""Water to the horizon, and what lies before it: the open sea, a beach, the sun going down."""

import numpy as np

from backdrop.colour import mix, srgb, tune
from backdrop.frame import Colour, Field, Frame, Picture
from backdrop.light import hour_of
from backdrop.noise import line, octaves, tile
from backdrop.pixels import blur, f32, over, plain, remap, shaded, shifted, step, tinted
from backdrop.scenes.ridges import far_hills
from backdrop.scenes.sky import sky
from backdrop.stage import Stage
from backdrop.view import SOFT, View

_TILE = 512


def sea(stage: Stage) -> Picture:
    """The open sea."""
    return _seascape(View(stage, stage.frame.at_most(SOFT), hour_of(stage.brief, "day"), stage.horizon(0.56)))


def sunset(stage: Stage) -> Picture:
    """The sun just above the sea."""
    view = View(stage, stage.frame.at_most(SOFT), hour_of(stage.brief, "golden"), stage.horizon(0.6))
    return _seascape(view, disc=True)


def _seascape(view: View, *, disc: bool = False) -> Picture:
    frame, hour, at, brief = view.frame, view.hour, view.at, view.stage.brief
    above = sky(view, clouds=0.75)
    if disc and brief.allows("sun"):
        above += _disc(view)
    if brief.wants("hills"):
        above = far_hills(view, above)
    water = _water(view, above)
    below = step(at - 0.7 / frame.height, at + 0.7 / frame.height, frame.v + 0 * frame.x)
    picture = over(above, water, below)
    # The air over the horizon: it is never a cut.
    haze = f32(0.5 * np.exp(-(((frame.v - np.float32(at)) / np.float32(0.014)) ** 2)) + 0 * frame.x)
    picture = over(picture, mix(hour.horizon, hour.sun, 0.2), haze)
    return _focus(frame, picture, at)


def _disc(view: View) -> Picture:
    frame, sun = view.frame, view.sun
    away = np.hypot(frame.x - np.float32(sun.x), frame.y - np.float32(sun.y))
    core = step(0.036, 0.031, away) * np.float32(1.6)
    bloom = np.exp(-away / np.float32(0.05)) * np.float32(0.9)
    return tinted(mix(view.hour.sun, srgb("#fff3d6"), 0.6), core + bloom)


def _water(view: View, above: Picture) -> Picture:
    """The sky mirrored in waves, deeper colour where one looks into them, glitter below the sun."""
    frame, hour, sun, at = view.frame, view.hour, view.sun, view.at
    down = np.maximum(frame.v - np.float32(at), 0) / np.float32(1 - at) + np.float32(1e-3)
    depth = 1 / (down + np.float32(0.035))
    waves = _waves(view.stage, frame, depth)
    tilt = waves * np.float32(0.05 if view.stage.brief.wants("soft", "minimal") else 0.085)
    mirrored = np.clip(np.float32(at) - (down * np.float32(0.75) + tilt * (down + 0.12) * 3) * np.float32(at), 0.01, at)
    rows = np.clip(mirrored * frame.height - 0.5, 0, frame.height - 1)
    columns = np.arange(frame.width, dtype=np.float32)[None, :] + waves * np.float32(0.006 * frame.unit)
    soft = blur(above, frame, 0.02, 0.006)
    mirror = remap(soft, columns, rows)
    # Schlick: grazing at the horizon, looking in at our feet.
    grazing = np.clip(1 - down * np.float32(0.85) + waves * np.float32(0.1), 0, 1)
    fresnel = f32(0.06 + 0.84 * grazing**3)
    deep = _deep(view)
    body = tinted(deep, np.float32(0.75) + np.float32(0.3) * np.clip(waves, -1.5, 1.5))
    water = over(body, mirror, fresnel)
    width = np.float32(0.03) + down * np.float32(0.16)
    path = np.exp(-(((frame.x - np.float32(sun.x)) / width) ** 2)) * np.float32(1 - min(sun.y, 0.6))
    sparkle = np.clip(waves - np.float32(0.35), 0, 2) ** 2 * path
    strength = 0.25 if sun.moon else 1.3 if hour.height < 0.3 else 0.25
    return water + tinted(hour.sun, (sparkle * np.float32(0.9) + path * np.float32(0.16)) * np.float32(strength))


def _deep(view: View) -> Colour:
    hour = view.hour
    named = view.stage.brief.colours_beside("water", "waves")
    base = named[0] if named else mix(srgb("#0e4f6e"), tune(hour.middle, light=-0.25), 0.45)
    return f32(base * np.float32(max(hour.ground, 0.12)))


def _waves(stage: Stage, frame: Frame, depth: Field) -> Field:
    """Slopes of the waves: long swell and short ripples, each lost where it is finer than the pixels."""
    rng = stage.rng("waves")
    swell, ripple = tile(rng, _TILE, 8, 3, gain=0.5), tile(rng, _TILE, 16, 4, gain=0.62)
    across = frame.x * depth
    scale = np.float32(_TILE / 8)
    far = step(16, 4, depth)
    nearer = remap(ripple, across * scale * np.float32(0.8), depth * scale * np.float32(3.2), wrap=True)
    longer = remap(swell, across * scale * np.float32(0.35) + 80, depth * scale * np.float32(1.5) + 40, wrap=True)
    bands = line(stage.rng("bands"), 30, f32(frame.v - 0.5), 3) * np.float32(0.24)
    return f32(longer * np.float32(0.75) * step(26, 8, depth) + nearer * np.float32(0.65) * far + bands)


def _focus(frame: Frame, picture: Picture, at: float) -> Picture:
    """The far is a little soft, as behind a subject."""
    soft = blur(picture, frame, 0.0028)
    near = step(at + 0.1, at + 0.4, frame.v + 0 * frame.x)
    return over(soft, picture, f32(near * 0.6))


def beach(stage: Stage) -> Picture:
    """Sand before a turquoise sea."""
    frame, hour, at = stage.frame.at_most(960), hour_of(stage.brief, "day"), stage.horizon(0.5) - 0.06
    view = View(stage, frame, hour, at)
    picture = _seascape(view, disc=hour.height < 0.3)
    edge = at + 0.17
    shape = line(stage.rng("shore"), 2.5, frame.x, 4, gain=0.45) * np.float32(0.016)
    shore = frame.v - np.float32(edge) - shape - frame.x * np.float32(0.05 * stage.light_side)
    shallow = srgb("#4fc4c4") * np.float32(max(hour.ground, 0.1))
    cover = step(-0.13, 0.01, shore) * step(at + 0.004, at + 0.04, frame.v + 0 * frame.x)
    picture = over(picture, f32(shallow * 0.85), f32(cover * np.float32(0.62 if hour.height > 0.5 else 0.22)))
    picture = _foam(view, picture, shore)
    sand = _sand(view, shore)
    picture = over(picture, sand, step(-0.001, 0.004, shore))
    lace = octaves(frame, stage.rng("lace"), 40, 4, stretch=(3, 1))
    rim = np.exp(-(((shore - np.float32(0.004)) / np.float32(0.006)) ** 2)) * step(-1.2, 0.6, lace)
    picture = over(
        picture, f32(mix(hour.sun, srgb("#ffffff"), 0.6) * np.float32(0.2 + 0.7 * hour.ground)), f32(rim * 0.85)
    )
    return _focus(frame, picture, edge)


def _foam(view: View, picture: Picture, shore: Field) -> Picture:
    """Two or three breaking lines in front of the shore."""
    stage, frame, hour = view.stage, view.frame, view.hour
    lace = octaves(frame, stage.rng("foam"), 26, 5, gain=0.6, stretch=(4, 1))
    white = f32(mix(hour.sun, srgb("#ffffff"), 0.55) * np.float32(0.18 + 0.72 * hour.ground))
    for index, distance in enumerate((0.035, 0.075, 0.11)):
        wander = line(stage.rng(f"breaker {index}"), 3, frame.x, 3) * np.float32(0.006)
        ridge = shore + np.float32(distance) + wander
        cover = np.exp(-((ridge / np.float32(0.006 - 0.0012 * index)) ** 2)) * step(-0.6, 1.2, lace + 0.3 - 0.2 * index)
        trail = step(0.0, 0.02, ridge) * step(0.05, 0.0, ridge) * step(0.4, 1.8, lace)
        picture = over(picture, white, f32(np.clip(cover * 0.8 + trail * 0.3, 0, 1)))
    return picture


def _sand(view: View, shore: Field) -> Picture:
    """Wet and dark at the water's edge, then dry, with ripples that grow towards us."""
    stage, frame, hour = view.stage, view.frame, view.hour
    named = stage.brief.colours_beside("sand")
    dry = view.lit(named[0] if named else srgb("#e9d3ac")) * np.float32(1.05)
    wet = f32(mix(dry, f32(hour.horizon * np.float32(0.7)), 0.35) * np.float32(0.62))
    soft = octaves(frame, stage.rng("dunes"), 7, 4, stretch=(2.4, 0.7))
    fine = octaves(frame, stage.rng("grain"), 130, 4, gain=0.8)
    near = step(0.03, 0.4, shore)
    bumps = soft - shifted(soft, frame, 0, 0.004)
    shade = 1 + bumps * np.float32(0.55) * near + fine * (np.float32(0.015) + np.float32(0.035) * near)
    shade *= np.float32(0.94) + np.float32(0.06) * soft
    body = over(plain(frame, wet), dry, step(0.015, 0.075, shore + soft * 0.006))
    return shaded(body, shade)

"""Made for products: a paper sweep, a spotlit wall, a podium. Light from one side, soft, falling off."""

import numpy as np

from backdrop.colour import lightness, mix, tune, with_lightness
from backdrop.frame import Colour, Field, Frame, Picture
from backdrop.light import glow, pool
from backdrop.palette import backdrop_colours
from backdrop.pixels import blur, f32, over, shaded, shifted, step, tinted
from backdrop.stage import Stage

_SOFT = 640


def sweep(stage: Stage) -> Picture:
    """A wall that curves into the floor, of one paper or two."""
    frame = stage.frame.at_most(_SOFT)
    return _sweep(stage, frame, backdrop_colours(stage))


def _sweep(stage: Stage, frame: Frame, colours: tuple[Colour, ...]) -> Picture:
    side = stage.light_side
    line = stage.horizon(0.7)
    # The paper's normal turns from towards us to upwards; the light comes from above, in front, and the side.
    turn = step(line - 0.15, line + 0.13, frame.v)
    angle = turn * np.float32(np.pi / 2)
    lit = np.cos(angle) * np.float32(0.62) + np.sin(angle) * np.float32(0.86)
    wall = glow(frame, side * 0.3, 0.3 * frame.height / frame.unit, 0.62, power=2.2)
    floor = pool(frame, side * 0.08, line * frame.height / frame.unit + 0.14, 0.75, squeeze=1.7)
    light = lit * (wall * (1 - turn) + (0.45 * wall + 0.62 * floor) * turn)
    light = light * np.float32(1.5) + np.float32(0.06)
    paper = colours[0]
    if len(colours) > 1:
        blend = step(line - 0.4, line + 0.25, frame.v + frame.x * np.float32(0.12 * side))
        paper_field = _blend(colours[0], colours[1], blend)
    else:
        # A little of the light's warmth where it is, and of the room's cool where it is not.
        paper_field = _blend(tune(paper, light=-0.015, turn=0.06), tune(paper, light=0.01, turn=-0.04), wall)
    picture = shaded(paper_field, _exposed(light, paper))
    return f32(picture)


def _exposed(light: Field, paper: Colour) -> Field:
    """Light paper is lit evenly, as a white one has no room above it; dark paper shows the light's shape."""
    depth = 1.25 - 0.55 * lightness(paper)
    return f32(np.maximum(light, 0.02) ** np.float32(depth)) * np.float32(1.1)


def _blend(first: Colour, second: Colour, amount: Field) -> Picture:
    middle = mix(first, second, 0.5)
    low, high = np.clip(amount * 2, 0, 1), np.clip(amount * 2 - 1, 0, 1)
    return tinted(first, 1 - low) + tinted(middle, low - high) + tinted(second, high)


def spotlight(stage: Stage) -> Picture:
    """A dark wall with a pool of light behind where the subject stands, and one on the floor."""
    frame = stage.frame.at_most(_SOFT)
    colours = backdrop_colours(stage, dark=True)
    wall = with_lightness(colours[0], float(np.clip(lightness(colours[0]), 0.3, 0.45)))
    tone = with_lightness(colours[-1], max(lightness(colours[-1]), 0.7))
    line, high = stage.horizon(0.76), frame.height / frame.unit
    floor = step(line - 0.012, line + 0.012, frame.v)
    x = stage.light_side * 0.06
    halo = pool(frame, x, 0.42 * high, 0.34) + np.float32(0.35) * glow(frame, x, 0.4 * high, 0.34, power=3)
    spot = pool(frame, x, line * high + 0.1, 0.34, squeeze=3.2)
    lit = halo * (1 - floor) + spot * floor * np.float32(1.15)
    base = wall * np.float32(0.16)
    picture = base + tinted(mix(wall, tone, 0.5), lit * np.float32(1.5))
    edge = f32(np.exp(-(((frame.v - np.float32(line)) / 0.02) ** 2)))
    return shaded(picture, 1 - np.float32(0.3) * edge)


def podium(stage: Stage) -> Picture:
    """A round plinth in front of a sweep, with an arch behind it by chance."""
    frame = stage.frame.at_most(1152)
    colours = backdrop_colours(stage)
    picture = _sweep(stage, frame, colours[:1])
    body = colours[1] if len(colours) > 1 else tune(colours[0], light=0.05 if lightness(colours[0]) < 0.8 else -0.03)
    high = frame.height / frame.unit
    top = (stage.hints.foot or 0.8) * high - 0.02
    width = min(0.3, 0.4 * frame.width / frame.unit)
    if stage.chance("arch") < 0.65:
        picture = _arch(stage, frame, picture, tune(body, light=-0.035))
    return _plinth(stage, frame, picture, body, (top, width))


def _arch(stage: Stage, frame: Frame, picture: Picture, colour: Colour) -> Picture:
    """A disc or an arch on the wall, thin, with its soft shadow."""
    high = frame.height / frame.unit
    radius = min(0.3, 0.36 * high)
    middle = 0.44 * high
    x, y = frame.x, frame.y - np.float32(middle)
    away = np.hypot(x, np.minimum(y, 0) if stage.chance("arch kind") < 0.5 else y)
    pixel = 1 / frame.unit
    cover = step(radius + pixel, radius - pixel, away) * step(0.74 * high + 0.02, 0.74 * high, frame.y)
    side = stage.light_side
    shadow = blur(shifted(cover, frame, -side * 0.03, 0.02), frame, 0.02)
    picture = shaded(picture, 1 - np.float32(0.28) * shadow * (1 - cover))
    sheen = (
        np.float32(1.0) + np.float32(0.12 * side) * x / np.float32(radius) - np.float32(0.08) * y / np.float32(radius)
    )
    light = picture.mean(axis=2) / max(float(picture.mean()), 1e-3)
    return over(picture, tinted(colour, sheen * (np.float32(0.33) + np.float32(0.62) * light)), cover)


def _plinth(stage: Stage, frame: Frame, picture: Picture, colour: Colour, place: tuple[float, float]) -> Picture:
    top, half = place
    tilt, side, pixel = 0.2, stage.light_side, 1 / frame.unit
    x, y = frame.x, frame.y - np.float32(top)
    ring = np.hypot(x, y / np.float32(tilt))
    lid = step(half + pixel, half - pixel * 3, ring)
    bulge = np.sqrt(np.maximum(1 - (x / np.float32(half)) ** 2, 0))
    height = 0.13
    under = y - np.float32(half * tilt) * bulge
    wall = step(half + pixel, half - pixel, np.abs(x)) * step(-pixel, pixel, y + 0 * x)
    wall *= step(height + pixel, height - pixel, under) * (1 - lid)
    ground = np.hypot(x + np.float32(side * 0.1), (y - np.float32(height)) / np.float32(0.34))
    cast = blur(step(half * 1.08, half * 0.96, ground), frame, 0.03) * np.float32(0.5)
    near = np.hypot(x, (y - np.float32(height)) / np.float32(tilt))
    cast = np.maximum(cast, blur(step(half * 1.03, half * 0.98, near), frame, 0.008) * np.float32(0.6))
    picture = shaded(picture, 1 - cast)
    round_light = np.clip(np.float32(0.5) + np.float32(0.42 * side) * x / np.float32(half), 0, 1) * bulge**0.4
    face = tinted(colour, np.float32(0.3) + np.float32(0.62) * round_light + 0 * y)
    picture = over(picture, face, wall)
    flat = np.float32(1.02) + np.float32(0.08 * side) * x / np.float32(half)
    picture = over(picture, tinted(colour, flat + 0 * y), lid)
    rim = np.exp(-(((ring - np.float32(half - 2 * pixel)) / np.float32(0.0022)) ** 2)) * step(-0.01, 0.02, y)
    return picture + tinted(colour, rim * np.float32(0.14))

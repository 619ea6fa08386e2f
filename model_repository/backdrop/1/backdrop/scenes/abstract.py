"""Pictures of nothing: colours that flow into each other, layers of paper, lights out of focus."""

import numpy as np

from backdrop.colour import from_oklab, lightness, mix, oklab, srgb, tune
from backdrop.discs import Disc, add_disc
from backdrop.frame import Picture
from backdrop.light import pool
from backdrop.noise import octaves, smooth
from backdrop.palette import mesh_colours, pick
from backdrop.pixels import blur, f32, over, plain, resize, shaded, step, tinted
from backdrop.stage import Stage


def mesh(stage: Stage) -> Picture:
    """Points of colour, mixed as it looks even, the mixture stirred."""
    frame = stage.frame.at_most(384)
    colours = mesh_colours(stage)
    rng = stage.rng("points")
    high, wide = frame.height / frame.unit, frame.width / frame.unit
    warp_x, warp_y = (smooth(frame, stage.rng(name), 2) * np.float32(0.1) for name in ("stir x", "stir y"))
    fold = octaves(frame, stage.rng("fold"), 2, 2, gain=0.4) * np.float32(0.06)
    total = np.zeros((frame.height, frame.width), np.float64)
    lab = np.zeros((frame.height, frame.width, 3), np.float64)
    spots = len(colours) + 3
    for index in range(spots):
        angle = 2 * np.pi * (index + rng.uniform(-0.3, 0.3)) / spots
        reach = rng.uniform(0.25, 0.62)
        x, y = np.cos(angle) * reach * wide, (0.5 + np.sin(angle) * reach) * high
        away = (frame.x + warp_x + fold - x) ** 2 + (frame.y + warp_y - fold - y) ** 2
        weight = 1 / (away + 0.012) ** 1.7
        total += weight
        lab += weight[:, :, None] * oklab(colours[index % len(colours)])
    lab /= total[:, :, None]
    lab[:, :, 0] += 0.02 * octaves(frame, stage.rng("sheen"), 3, 2)
    return from_oklab(lab)


def layers(stage: Stage) -> Picture:
    """Waves of thick paper, each with its shadow on the next."""
    frame = stage.frame.at_most(1152)
    colours = mesh_colours(stage)[:4]
    first, last = sorted((colours[0], colours[-1]), key=lightness)
    if lightness(last) - lightness(first) < 0.25:
        first, last = tune(first, light=-0.14), tune(last, light=0.14)
    count = 8
    picture = plain(frame, last)
    rng = stage.rng("waves")
    tilt = rng.uniform(-0.25, 0.25)
    small = frame.at_most(512)
    for index in range(count):
        part = (index + 1) / count
        phase, swing, beat = rng.uniform(0, 6.28), rng.uniform(0.03, 0.075), rng.uniform(3.5, 7.5)
        base = 0.16 + 0.78 * part**0.9
        edge = base + tilt * frame.x + swing * np.sin(beat * frame.x + phase)
        edge = f32(edge + 0.4 * swing * np.sin(2.1 * beat * frame.x + 1.7 * phase))
        pixel = 1.2 / frame.unit
        inside = step(-pixel, pixel, frame.v - edge)
        away = np.maximum(edge - frame.v, 0)
        shadow = np.float32(0.34) * np.exp(-away / np.float32(0.022)) + np.float32(0.22) * np.exp(
            -away / np.float32(0.07)
        )
        picture = shaded(picture, 1 - shadow * (1 - inside))
        colour = mix(last, first, part)
        fall = np.float32(1.06) - np.float32(0.3) * step(0.0, 0.4, frame.v - edge)
        picture = over(picture, tinted(colour, fall), inside)
    light = pool(small, stage.light_side * 0.35, 0.1, 0.9)
    return shaded(picture, np.float32(0.86) + np.float32(0.2) * resize(light, frame))


def lights(stage: Stage) -> Picture:
    """Lamps far behind the subject, large discs and small, over a dim room."""
    frame = stage.frame.at_most(1024)
    brief = stage.brief
    named = brief.colours
    lamps = named or tuple(srgb(text) for text in ("#ffb45a", "#ffd9a0", "#ff8a4c", "#fff1d6", "#ffc97a"))
    base = tune(named[0], light=-0.32, chroma=0.5) if named else srgb("#2a1c16")
    high = frame.height / frame.unit
    rng = stage.rng("lamps")
    cloud = octaves(frame, stage.rng("room"), 2, 3)
    picture = tinted(base, np.float32(0.6) + np.float32(0.18) * cloud + pool(frame, 0, 0.35 * high, 0.5))
    for layer, (count, size, power) in enumerate(((26, 0.055, 0.1), (60, 0.03, 0.2), (110, 0.014, 0.42))):
        colours = pick(stage, f"lamp colours {layer}", lamps, count)
        for index in range(count):
            x, y = rng.normal(0, 0.34), rng.normal(0.36, 0.24) * high
            radius = size * rng.uniform(0.7, 1.25)
            strength = np.float32(power * rng.uniform(0.25, 1.0) ** 1.6)
            add_disc(picture, frame, Disc(x, y, radius, f32(colours[index] * strength), 0.9 - 0.25 * (layer == 0)))
    bloom = blur(picture, frame, 0.03)
    return f32(picture * np.float32(0.9) + bloom * np.float32(0.22))

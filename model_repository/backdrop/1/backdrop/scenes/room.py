"""Indoors: a wall and a floor, light from a window on a wall, a table top with the room behind it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from backdrop.bands import by_bands
from backdrop.colour import lightness, mix, srgb, tune
from backdrop.frame import Colour, Field, Frame, Picture
from backdrop.light import glow, hour_of
from backdrop.materials import MATERIALS
from backdrop.materials.walls import plaster
from backdrop.palette import backdrop_colours
from backdrop.pixels import blur, f32, over, remap, resize, shaded, step, tinted
from backdrop.stage import Stage

_SIDE = 1280

Place = NDArray[np.float64]
"""(2,): x and y in units."""


def room(stage: Stage) -> Picture:
    """A wall, a skirting, a floor that runs towards us."""
    frame = stage.frame.at_most(_SIDE)
    line = stage.horizon(0.72)
    wall, tone = _wall(stage.as_part("wall"), frame)
    floor = _floor(stage.as_part("floor"), frame, line)
    side, high = np.float32(stage.light_side), frame.height / frame.unit
    pixel = 1.2 / frame.height
    skirting = tune(tone, light=0.09 if lightness(tone) < 0.8 else -0.02, chroma=0.6)

    def paint(band: Frame, wall: Picture, floor: Picture) -> Picture:
        light = glow(band, float(side) * 0.34, 0.26 * high, 0.6, power=1.9)
        lit = np.float32(0.5) + np.float32(0.62) * light
        corner = 1 - np.float32(0.3) * np.exp(-np.abs(band.v - np.float32(line)) / np.float32(0.035))
        picture = shaded(wall, lit * corner)
        board = step(line - 0.042 - pixel, line - 0.042 + pixel, band.v + 0 * band.x)
        edge = np.float32(0.9) + np.float32(0.14) * step(0.006, 0.0, np.abs(band.v - np.float32(line - 0.038)))
        picture = over(picture, tinted(skirting, lit * edge), board)
        below = step(line - pixel, line + pixel, band.v + 0 * band.x)
        spread = glow(band, float(side) * 0.2, (line + 0.16) * high, 0.55, power=1.6, squeeze=1.6)
        ground = shaded(floor, (np.float32(0.42) + np.float32(0.68) * spread) * corner)
        sheen = np.exp(-(band.v - np.float32(line)) * np.float32(9)) * light * np.float32(0.1)
        ground += tinted(tone, f32(sheen))
        return over(picture, ground, below)

    return blur(by_bands(frame, paint, wall, floor), frame, 0.0007)


def _wall(stage: Stage, frame: Frame) -> tuple[Picture, Colour]:
    """The wall's surface, and its colour where it is painted."""
    material = stage.brief.beside("wall", "material")
    if material is None and not stage.brief.wants("floor"):
        material = next((m for m in stage.brief.meanings if m.kind == "material" and m.name != "fabric"), None)
    colour = backdrop_colours(stage)[0]
    if material is None or material.name == "fabric":
        return plaster(stage, frame, colour), colour
    picture = MATERIALS[material.name](stage, frame)
    return blur(picture, frame, 0.001), f32(picture.mean(axis=(0, 1)))


def _floor(stage: Stage, frame: Frame, line: float) -> Picture:
    """The floor's surface, laid out in perspective below `line`."""
    material = stage.brief.beside("floor", "material")
    if material is None and stage.colours:
        return plaster(stage, frame, stage.colours[0])
    name = material.name if material else "wood"
    flat = Frame(1024, 1024)
    return laid(frame, MATERIALS[name](stage, flat), line, depth=0.36)


def laid(frame: Frame, surface: Picture, line: float, depth: float) -> Picture:
    """`surface` on a plane that begins at the height `line` and comes towards us. `depth`: how steeply we look down."""
    below = np.clip((frame.v - np.float32(line)) / np.float32(1 - line), 0, 1)
    distance = 1 / (below + np.float32(depth))
    side = np.float32(surface.shape[0])
    x = f32((frame.x * distance * np.float32(0.55 * (1 + depth)) + np.float32(0.5)) * side)
    y = f32((np.float32(1 / depth) - distance) * np.float32(depth * (1 + depth)) * side * np.float32(0.55))
    # Far away many boards fall on one pixel: take it from a picture that is already soft.
    soft = blur(surface, Frame(surface.shape[1], surface.shape[0]), 0.002)
    return over(remap(surface, x, y), remap(soft, x, y), f32(step(0.5, 0.0, below) + 0 * frame.x))


def window(stage: Stage) -> Picture:
    """A wall on which the sun draws a window, a blind or leaves."""
    frame = stage.frame.at_most(_SIDE)
    small = frame.at_most(640)
    colour = backdrop_colours(stage.as_part("wall"))[0]
    sun = hour_of(stage.brief, "golden").sun if stage.brief.names("time") else srgb("#fff0d6")
    pattern = _leaf_shadow(stage, small) if _leafy(stage) else _pane(stage, small)
    line = stage.horizon(0.8)
    high = frame.height / frame.unit
    patch = resize(pattern, frame)
    base = plaster(stage, frame, colour)
    side = stage.light_side

    def paint(band: Frame, base: Picture, patch: Field) -> Picture:
        soft = glow(band, side * 0.4, 0.2 * high, 0.8, power=1.4)
        ambient = mix(srgb("#cfd3da"), srgb("#ffffff"), 0.5) * np.float32(0.52)
        light = tinted(f32(ambient), np.float32(0.5) + np.float32(0.5) * soft) + tinted(sun, patch * np.float32(0.62))
        below = step(line - 0.0012, line + 0.0012, band.v + 0 * band.x)
        crease = 1 - np.float32(0.2) * np.exp(-np.abs(band.v - np.float32(line)) / np.float32(0.02))
        return f32(shaded(base * light, crease * (1 + np.float32(0.1) * below)))

    return by_bands(frame, paint, base, f32(np.clip(patch, 0, 1)))


def _leafy(stage: Stage) -> bool:
    if stage.brief.wants("blinds"):
        return False
    return stage.brief.wants("leaves") or stage.chance("what is in the window") < 0.4


def _skewed(stage: Stage, frame: Frame) -> tuple[Field, Field]:
    """Coordinates on the window that the light came through: leaning, as the sun stands aside."""
    side = np.float32(stage.light_side)
    lean = np.float32(stage.chance("lean", 0.25, 0.5))
    y = frame.v - np.float32(0.5) + frame.x * side * lean
    return f32(frame.x - side * np.float32(0.05) + side * (frame.v - np.float32(0.4)) * np.float32(0.22)), f32(y)


def _pane(stage: Stage, frame: Frame) -> Field:
    """Sash bars, or the slats of a blind; softer the further they are from the wall."""
    x, y = _skewed(stage, frame)
    inside = step(0.33, 0.315, np.abs(x)) * step(0.44, 0.425, np.abs(y))
    if stage.brief.wants("blinds") or stage.chance("blind") < 0.3:
        slats = step(-0.1, 0.5, np.sin(y * np.float32(62)))
        return blur(f32(inside * slats), frame, 0.004)
    bars = step(0.009, 0.013, np.abs(np.mod(x + np.float32(0.11), np.float32(0.22)) - np.float32(0.11) + 0 * y))
    cross = step(0.009, 0.014, np.abs(np.mod(y + np.float32(0.145), np.float32(0.29)) - np.float32(0.0)))
    cross *= step(0.009, 0.014, np.abs(np.mod(y + np.float32(0.145), np.float32(0.29)) - np.float32(0.29)))
    pattern = f32(inside * bars * cross)
    twig = blur(_leaf_shadow(stage, frame), frame, 0.006)
    dapple = np.float32(1) - np.float32(0.45) * (1 - twig) * np.float32(stage.chance("tree outside") < 0.6)
    return blur(f32(pattern * dapple), frame, 0.0045)


def _leaf_shadow(stage: Stage, frame: Frame) -> Field:
    """1 in the sun, 0 in the shadow of palm fronds that hang in from the light's side."""
    rng = stage.rng("fronds")
    side = -np.sign(stage.light_side)
    shadow = np.zeros((frame.height, frame.width), np.float32)
    high = frame.height / frame.unit
    for frond in range(5):
        start = np.array([side * rng.uniform(0.42, 0.62), rng.uniform(-0.05, 0.75) * high])
        heading = np.pi * (0.5 + 0.5 * side) + rng.uniform(-0.75, 0.45) * -side
        layer = np.zeros_like(shadow)
        _frond(layer, frame, rng, start, heading)
        away = frond % 3
        shadow = np.maximum(shadow, blur(layer, frame, 0.0035 + 0.0045 * away) * np.float32(0.95 - 0.16 * away))
    return f32(1 - shadow)


def _frond(layer: Field, frame: Frame, rng: np.random.Generator, start: Place, heading: float) -> None:
    """Draw one frond: a bent stem with narrow leaflets on both sides."""
    length, bend = rng.uniform(0.5, 0.75), rng.uniform(-0.9, 0.9)
    count = 26
    place, step_length = start.copy(), length / count
    for index in range(count):
        part = index / count
        angle = heading + bend * part
        place = place + step_length * np.array([np.cos(angle), np.sin(angle)])
        reach = length * 0.42 * np.sin(np.pi * (0.12 + 0.84 * part)) * rng.uniform(0.85, 1.1)
        for lean in (-1, 1):
            out = angle + lean * (1.05 - 0.55 * part)
            tip = place + reach * np.array([np.cos(out), np.sin(out)])
            across = 0.011 * np.array([-np.sin(out), np.cos(out)])
            middle = place * 0.55 + tip * 0.45
            points = np.array([place, middle + across, tip, middle - across])
            pixels = (points * frame.unit + [frame.width / 2, 0]) * 16
            cv2.fillConvexPoly(layer, np.rint(pixels).astype(np.int32), 1.0, cv2.LINE_8, 4)

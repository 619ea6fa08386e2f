"""Subjects that are drawn: one smooth, one of thin wires with holes, one of leaves, one with hair."""

import numpy as np
from numpy.typing import NDArray

from tools.golden.canvas import Canvas, Colour, Floats, Subject


def vase(width: int, height: int) -> Subject:
    """A glazed vase with two handles, lit from the left above; what is within the handles is background."""
    canvas, middle = Canvas(width, height), width / 2
    x, y = canvas.grid()
    top, bottom = height * 0.16, height * 0.9
    down = np.clip((y - top) / (bottom - top), 0, 1)
    belly = np.clip(np.sin(np.pi * np.clip(down * 1.12 - 0.1, 0, 1)), 0, 1) ** 1.6
    radius = height * (0.09 + 0.17 * belly + 0.02 * (down < 0.03))
    for side in (-1, 1):
        _ring(canvas, (middle + side * height * 0.17, height * 0.34), (height * 0.085, height * 0.13), height * 0.017)
    across = (x - middle) / radius
    slope = np.gradient(radius, axis=0) * 4
    facing = np.sqrt(np.clip(1 - across**2, 0, 1))
    light = np.clip((-0.55 * across + 0.75 * facing - 0.4 * slope) / 1.1, 0, 1)
    shine = np.exp(-((across + 0.42) ** 2) / 0.006 - (down - 0.42) ** 2 / 0.03)
    band = ((np.abs(down - 0.3) < 0.02) | (np.abs(down - 0.66) < 0.035)).astype(np.float32)
    glaze = _mix((28, 92, 128), (232, 186, 92), band)
    canvas.paint((np.abs(across) < 1) & (y > top) & (y < bottom), _lit(glaze, light, shine))
    return canvas.subject()


def _ring(canvas: Canvas, centre: tuple[float, float], radii: tuple[float, float], thickness: float) -> None:
    x, y = canvas.grid()
    angle = np.arctan2((y - centre[1]) / radii[1], (x - centre[0]) / radii[0])
    away = np.hypot(x - centre[0] - radii[0] * np.cos(angle), y - centre[1] - radii[1] * np.sin(angle)) / thickness
    light = np.clip(0.75 * np.sqrt(np.clip(1 - away**2, 0, 1)) - 0.2 * np.sin(angle), 0, 1)
    glaze = _mix((28, 92, 128), (28, 92, 128), np.zeros_like(x))
    canvas.paint(away < 1, _lit(glaze, light, np.zeros_like(x)))


def wheel(width: int, height: int) -> Subject:
    """A bicycle's wheel: tyre, rim, hub and 32 crossed spokes; between them the background is seen."""
    canvas, middle = Canvas(width, height), (width / 2, height * 0.5)
    x, y = canvas.grid()
    away = np.hypot((x - middle[0]) / 0.94, y - middle[1]) / (height * 0.42)
    angles = np.arange(32) * 2 * np.pi / 32
    for number, angle in enumerate(angles):
        start = angle + (0.9 if number % 2 else -0.9)
        ends = [
            (middle[0] + 0.94 * height * share * np.cos(a), middle[1] + height * share * np.sin(a))
            for share, a in ((0.035, start), (0.385, angle))
        ]
        canvas.line(ends, 1.5, (205, 208, 214) if number % 4 < 2 else (150, 154, 162))
    light = 0.62 + 0.38 * np.sin(np.arctan2(y - middle[1], x - middle[0]) * 2 - 0.8)
    for inner, outer, colour in ((0.9, 0.95, (212.0, 214.0, 218.0)), (0.94, 1.0, (38.0, 36.0, 38.0))):
        roundness = 1 - np.abs((away - inner) / (outer - inner) * 2 - 1) ** 2 * 0.5
        canvas.paint((away > inner) & (away < outer), _mix(colour, colour, light) * (light * roundness)[..., None])
    hub = np.clip(1.1 - away * 9, 0.3, 1)
    canvas.paint(away < 0.085, _mix((90, 92, 98), (226, 228, 232), hub))
    return canvas.subject()


def plant(width: int, height: int) -> Subject:
    """A pot with long pointed leaves that bend outward."""
    canvas, chance = Canvas(width, height), np.random.default_rng(5)
    middle, rim = width / 2, height * 0.66
    for bend in sorted(np.linspace(-1, 1, 23), key=abs, reverse=True):
        reach = height * (0.5 + 0.12 * chance.random()) * (1 - 0.25 * abs(bend))
        _leaf(canvas, (middle + bend * height * 0.06, rim + 6), bend, reach, 0.7 + 0.6 * chance.random())
    x, y = canvas.grid()
    down = (y - rim) / (height * 0.25)
    across = (x - middle) / (height * (0.16 - 0.04 * down) + height * 0.012 * (down < 0.18))
    light = np.clip(0.25 + 0.75 * np.sqrt(np.clip(1 - (across + 0.3) ** 2, 0, 1)), 0, 1) * (1 - 0.25 * (down < 0.2))
    clay = _mix((196, 102, 66), (196, 102, 66), light)
    canvas.paint((np.abs(across) < 1) & (down > 0) & (down < 1), _lit(clay, light, np.zeros_like(x)))
    return canvas.subject()


def _leaf(canvas: Canvas, root: tuple[float, float], bend: float, reach: float, light: float) -> None:
    along = np.linspace(0, 1, 24)
    spine = np.stack(
        [root[0] + bend * reach * 0.75 * along**1.7, root[1] - reach * (along - 0.45 * abs(bend) * along**2.4)], 1
    )
    normal = np.gradient(spine, axis=0)[:, ::-1] * (-1, 1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    half = (reach * 0.05 * np.sin(np.pi * np.clip(along, 0.08, 1)) ** 0.8)[:, None] * normal
    for side, shade in ((half, 1.0), (-half, 0.72)):
        corners = np.concatenate([spine, (spine + side)[::-1]])
        canvas.fill(_points(corners), _scaled((58, 132, 62), light * shade))


def pompon(width: int, height: int) -> Subject:
    """A ball of wool: thousands of hairs, so that its edge is a mixture nearly everywhere."""
    canvas, chance = Canvas(width, height), np.random.default_rng(11)
    middle, radius = np.array([width / 2, height * 0.53]), height * 0.34
    x, y = canvas.grid()
    core = np.full((*x.shape, 3), (128, 50, 80), np.float32)
    canvas.paint(np.hypot(x - middle[0], y - middle[1]) < radius * 0.8, core)
    for _ in range(9000):
        # A point of the ball's front, and a hair from there outward.
        place = chance.normal(size=3)
        place /= np.linalg.norm(place)
        light = 0.45 + 0.55 * max(float(place @ (-0.5, -0.65, 0.57)), 0)
        tone = _scaled((214, 96, 138), light * (0.8 + 0.3 * chance.random()))
        start = middle + place[:2] * radius * 0.75
        curl = chance.normal(scale=0.12, size=2)
        ends = [start + (place[:2] + curl * step) * radius * 0.34 * step for step in (0.0, 0.5, 1.0)]
        canvas.line(_points(np.array(ends)), 0.5 + 0.6 * chance.random(), tone)
    return canvas.subject()


def _lit(colour: Floats, light: NDArray[np.floating], shine: NDArray[np.floating]) -> Floats:
    lit = colour * (0.18 + 0.95 * light)[..., None] + 190 * shine[..., None]
    return np.asarray(np.clip(lit, 0, 255), np.float32)


def _mix(first: Colour, second: Colour, share: NDArray[np.floating]) -> Floats:
    mixed = np.asarray(first) * (1 - share[..., None]) + np.asarray(second) * share[..., None]
    return np.asarray(mixed, np.float32)


def _scaled(colour: Colour, light: float) -> Colour:
    red, green, blue = (min(value * light, 255) for value in colour)
    return red, green, blue


def _points(places: NDArray[np.floating]) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in places]

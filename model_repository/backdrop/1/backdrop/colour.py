"""Colours: sRGB as people write it, linear light as it adds up, OKLab as it looks (Ottosson 2020)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backdrop.frame import Colour, Field, Picture
from backdrop.pixels import remap

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_LAB, _FROM_LMS = np.linalg.inv(_TO_LAB), np.linalg.inv(_TO_LMS)
_RAMP_STEPS = 2048
LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)


def srgb(text: str) -> Colour:
    """The colour that `text`, like "#a0b1c2", names."""
    channels = np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


def oklab(linear: NDArray[np.floating]) -> NDArray[np.float64]:
    """(..., 3) linear light to lightness 0–1, green–red, blue–yellow."""
    lms = np.maximum(linear.astype(np.float64), 0) @ _TO_LMS.T
    return np.asarray(np.cbrt(lms) @ _TO_LAB.T)


def from_oklab(lab: NDArray[np.floating]) -> NDArray[np.float32]:
    """(..., 3) back to linear light, what no screen shows cut off at 0."""
    lms = (lab.astype(np.float64) @ _FROM_LAB.T) ** 3
    return np.maximum(lms @ _FROM_LMS.T, 0).astype(np.float32)


def mix(first: Colour, second: Colour, amount: float) -> Colour:
    """The colour that looks to lie `amount` (0–1) of the way between two."""
    return from_oklab(oklab(first) * (1 - amount) + oklab(second) * amount)


def tune(colour: Colour, *, light: float = 0.0, chroma: float = 1.0, turn: float = 0.0) -> Colour:
    """`colour` with `light` added to its lightness (0–1), its chroma multiplied, its hue turned by radians."""
    lightness, a, b = oklab(colour)
    cos, sin = np.cos(turn) * chroma, np.sin(turn) * chroma
    return from_oklab(np.array([np.clip(lightness + light, 0, 1), a * cos - b * sin, a * sin + b * cos]))


def with_lightness(colour: Colour, lightness: float, chroma: float = 1.0) -> Colour:
    """The hue of `colour` at another lightness (OKLab, 0–1), its chroma multiplied."""
    lab = oklab(colour)
    return from_oklab(np.array([lightness, lab[1] * chroma, lab[2] * chroma]))


def lightness(colour: Colour) -> float:
    """How light a colour looks, 0–1."""
    return float(oklab(colour)[0])


def hue(degrees: float, lightness: float, chroma: float) -> Colour:
    """A colour by OKLab's hue angle, lightness (0–1) and chroma (0 to about 0.3)."""
    angle = np.deg2rad(degrees)
    return from_oklab(np.array([lightness, chroma * np.cos(angle), chroma * np.sin(angle)]))


def ramp(field: Field, stops: Sequence[tuple[float, Colour]]) -> Picture:
    """Colour each value of `field` (H, W) by `stops` (position, colour), blended as it looks even; ends go on."""
    positions = np.array([position for position, _ in stops])
    labs = oklab(np.stack([colour for _, colour in stops]))
    low, high = positions[0], positions[-1]
    samples = np.linspace(low, high, _RAMP_STEPS)
    table = from_oklab(np.stack([np.interp(samples, positions, labs[:, i]) for i in range(3)], axis=1))
    index = (np.clip(field, low, high) - low) * np.float32((_RAMP_STEPS - 1) / (high - low))
    return remap(table[None], index, np.zeros_like(index))

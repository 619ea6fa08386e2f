"""The golden set's pictures: which subject lies over which background, where."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from backdrop import render
from numpy.typing import NDArray
from PIL import Image

from tools.golden.canvas import Floats, Subject
from tools.golden.objects import plant, pompon, vase, wheel

Bytes = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
_CUTOUTS = Path("tests/golden")  # Of photos that are free, see tests/photos.
_SEED = 7
_NOISE = 1.5  # Of the sensor, in levels.


@dataclass(frozen=True)
class Picture:
    """`prompt`: of the background. `subject`: what is drawn at a width and height. `stands`: it throws a shadow."""

    prompt: str
    subject: Callable[[int, int], Subject]
    stands: bool = False


def cutout(
    name: str, scale: float, x: float, *, mirrored: bool = False, light: tuple[float, float, float] = (1, 1, 1)
) -> Callable[[int, int], Subject]:
    """A photo's subject, at the bottom or as far up as its head allows.

    `scale`: its height as a share of the picture's. `x`: where its middle is, as a share of the width.
    """

    def draw(width: int, height: int) -> Subject:
        with Image.open(_CUTOUTS / f"{name}_cutout.png") as opened:
            pixels = np.asarray(opened.convert("RGBA"), np.float32)
        pixels = pixels[:, ::-1] if mirrored else pixels
        # What the matte left half open, is closed: within the subject nothing shines through.
        alpha = np.clip((pixels[..., 3:] / 255 - 0.15) / 0.7, 0, 1)
        colour = np.clip(pixels[..., :3] * np.asarray(light, np.float32), 0, 255)
        ratio = height * scale / pixels.shape[0]
        top = height * max(1 - scale, 0.02)
        matrix = np.array([[ratio, 0, x * width - ratio * pixels.shape[1] / 2], [0, ratio, top]])
        flags = cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
        layers = cv2.warpAffine(np.concatenate([colour * alpha, alpha], 2), matrix, (width, height), flags=flags)
        return Subject(np.asarray(layers[..., :3], np.float32), np.clip(layers[..., 3], 0, 1))

    return draw


PICTURES = {
    "person-city": Picture("a city street at night", cutout("astronaut", 0.95, 0.42, light=(0.92, 0.93, 1))),
    "person-beach": Picture("a sandy beach at sunset", cutout("astronaut", 0.72, 0.68, mirrored=True)),
    "person-window": Picture("a bright living room with a window", cutout("astronaut", 1.3, 0.5)),
    "cup": Picture("white marble with golden veins", cutout("coffee", 0.98, 0.5)),
    "vase": Picture("a dark wooden table", vase, stands=True),
    "wheel": Picture("green hills in spring morning", wheel, stands=True),
    "plant": Picture("grey studio backdrop", plant, stands=True),
    "pompon": Picture("pine forest in fog", pompon),
}


def compose(picture: Picture) -> tuple[Bytes, Bytes]:
    """The picture, (H, W, 3) sRGB, and its true matte, (H, W); both uint8, the same each time."""
    behind = np.asarray(render(picture.prompt, "", _SEED, width=WIDTH, height=HEIGHT), np.float32)
    subject = picture.subject(WIDTH, HEIGHT)
    if picture.stands:
        behind *= _shadow(subject.alpha)[..., None]
    noise = np.random.default_rng(_SEED).normal(0, _NOISE, behind.shape)
    whole = subject.colour + behind * (1 - subject.alpha[..., None]) + noise
    return _bytes(whole), _bytes(subject.alpha * 255)


def _shadow(alpha: Floats) -> Floats:
    """How much light is left on the ground where the subject ends; it is background."""
    rows, columns = np.nonzero(alpha > 0.5)
    foot = columns[rows > rows.max() - 40]
    y, x = np.mgrid[: alpha.shape[0], : alpha.shape[1]]
    width = max(np.ptp(foot) * 0.75, 40.0)
    near = ((x - foot.mean() - width * 0.2) / width) ** 2 + ((y - rows.max()) / (width * 0.16)) ** 2
    return np.asarray(1 - 0.6 * np.exp(-2 * near), np.float32)


def _bytes(values: NDArray[np.floating]) -> Bytes:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)

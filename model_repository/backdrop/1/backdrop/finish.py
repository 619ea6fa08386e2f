"""From linear light to 8 bits: graded, encoded, enlarged, with a camera's grain, dithered so that no band shows."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

import cv2
import numpy as np
from numpy.typing import NDArray

from backdrop.bands import by_bands
from backdrop.frame import Field, Frame, Picture
from backdrop.grade import Grade
from backdrop.pixels import f32, resize, shaded

_STRIP = 64
"""Rows at a time: 1.5 MB at 2048 pixels, which stays in a core's cache."""
_TILE = 256
_THREADS = 2
_KNEE = np.float32(0.7)


def finish(picture: Picture, frame: Frame, grade: Grade, grain: float) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB from `picture`, of any size. `grain`: its standard deviation, in steps of 1/255."""
    noise = _noise_tile(grain)
    out = np.empty((frame.height, frame.width, 3), np.uint8)
    small = Frame(picture.shape[1], picture.shape[0])
    # What is soft is enlarged after it is encoded: fewer pixels to encode, and no rings around what is bright.
    ready = resize(by_bands(small, partial(_develop, grade), picture), frame)

    def strip(top: int) -> None:
        rows = slice(top, top + _STRIP)
        values = ready[rows]
        start = top % _TILE
        repeat = -(-frame.width // _TILE)
        dither = np.tile(noise[start : start + len(values)], (1, repeat, 1))[:, : frame.width]
        dither += values * np.float32(255)
        # Cut off, not rounded: the dither's mean is a half.
        out[rows] = np.clip(dither, 0, 255, out=dither)

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(strip, range(0, frame.height, _STRIP)))
    return out


def _develop(grade: Grade, band: Frame, picture: Picture) -> Picture:
    linear = shaded(f32(cv2.transform(picture, grade.matrix)), grade.shade(band))
    # What is brighter than film can hold is rolled off to white, not cut off.
    above = np.maximum(linear - _KNEE, 0) / (1 - _KNEE)
    np.minimum(linear, _KNEE, out=linear)
    linear += (1 - _KNEE) * (1 - np.exp(-above))
    return grade.curve(encode(linear))


def encode(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear light to sRGB's encoding, 0–1, by roots of roots: within 0.002 of the curve, and quick."""
    x = np.clip(linear, 0, 1)
    root = np.sqrt(x)
    fourth = np.sqrt(root)
    eighth = np.sqrt(fourth)
    x *= np.float32(-0.022541147)
    x += np.float32(0.662002687) * root
    x += np.float32(0.684122060) * fourth
    x -= np.float32(0.323583601) * eighth
    return np.maximum(x, 0, out=x)


@cache
def _noise_tile(grain: float) -> Picture:
    """(256, 256, 3): triangular dither of two steps around a half, plus grain that the channels share."""
    blue = _blue_noise()
    shifted = [np.roll(blue, shift, axis=(0, 1)) for shift in ((0, 0), (97, 31), (53, 149))]
    triangle = [np.where(u < 0.5, np.sqrt(2 * u) - 1, 1 - np.sqrt(2 - 2 * u)) for u in shifted]
    rng = np.random.Generator(np.random.Philox(2))
    film = _wrapped_blur(rng.standard_normal((_TILE, _TILE), dtype=np.float32), 0.7)
    film *= np.float32(grain / film.std())
    return f32(np.stack([t + film + 0.5 for t in triangle], axis=2))


@cache
def _blue_noise() -> Field:
    """(256, 256), uniform in 0–1, without low frequencies, so that it is not seen; wraps around."""
    rng = np.random.Generator(np.random.Philox(1))
    field = rng.random((_TILE, _TILE), dtype=np.float32)
    for _ in range(6):
        high = field - _wrapped_blur(field, 1.9)
        ranks = np.empty(field.size)
        ranks[np.argsort(high, axis=None, kind="stable")] = np.arange(field.size)
        field = f32((ranks + 0.5) / field.size).reshape(field.shape)
    return field


def _wrapped_blur(tile: Field, sigma: float) -> Field:
    return f32(cv2.GaussianBlur(np.pad(tile, 8, mode="wrap"), (0, 0), sigma))[8:-8, 8:-8]

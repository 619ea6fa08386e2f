"""What is filmed in the tests' clips: the free photos, and subjects cut out of them, whose true alpha is known."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.support.pictures import TESTS, photo

Bytes = NDArray[np.uint8]
SIZE = 180, 320
"""(height, width) of a scene, unless another is asked for."""


@dataclass(frozen=True)
class Scene:
    """`frames`: (H, W, 3) uint8 sRGB. `truth`: the subject's true alpha for each of them, (H, W) uint8; None where
    nobody knows it."""

    frames: list[Bytes]
    truth: list[Bytes] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        height, width = self.frames[0].shape[:2]
        return height, width


def pan(name: str = "coffee", frames: int = 12, size: tuple[int, int] = SIZE) -> Scene:
    """A window that moves over a photo from its left to its right."""
    height, width = size
    picture = _covering(name, (height, width + 2 * frames))
    return Scene([np.ascontiguousarray(picture[:height, 2 * n : 2 * n + width]) for n in range(frames)])


def zoom(name: str = "chelsea", frames: int = 12, size: tuple[int, int] = SIZE) -> Scene:
    """A window over a photo's middle that grows smaller."""
    height, width = size
    picture = _covering(name, size)
    scales = (1 + 0.03 * n for n in range(frames))
    matrices = [cv2.getRotationMatrix2D((width / 2, height / 2), 0, scale) for scale in scales]
    return Scene([np.asarray(cv2.warpAffine(picture, matrix, (width, height)), np.uint8) for matrix in matrices])


def still(frames: int = 12, size: tuple[int, int] = SIZE, noise: float = 3.0) -> Scene:
    """A subject that does not move, filmed with a noisy sensor. `noise`: its deviation in levels."""
    scene, noises = moving("astronaut", 1, size), np.random.default_rng(3)
    (picture,), truth = scene.frames, scene.truth
    assert truth is not None
    noisy = [picture + noises.normal(0, noise, picture.shape) for _ in range(frames)]
    return Scene([np.clip(np.rint(frame), 0, 255).astype(np.uint8) for frame in noisy], truth * frames)


def moving(name: str = "astronaut", frames: int = 12, size: tuple[int, int] = SIZE, step: float = 2.0) -> Scene:
    """A subject that moves to the right over a table of wood, by so many pixels a frame."""
    return _over(_wood(size), [(name, 0.35, step)], frames)


def crossing(frames: int = 12, size: tuple[int, int] = SIZE) -> Scene:
    """Two subjects that pass each other."""
    step = size[1] * 0.5 / frames
    return _over(_wood(size), [("coffee", 0.75, -step), ("astronaut", 0.25, step)], frames)


def cut(frames: int = 12, size: tuple[int, int] = SIZE) -> Scene:
    """One subject in the first half; another one, somewhere else, in the second."""
    first = _over(_wood(size), [("astronaut", 0.3, 1.0)], frames // 2)
    second = _over(_wood(size)[:, ::-1, ::-1], [("coffee", 0.7, -1.0)], frames - frames // 2)
    assert first.truth is not None
    assert second.truth is not None
    return Scene(first.frames + second.frames, first.truth + second.truth)


def flat(frames: int = 12, size: tuple[int, int] = SIZE, colour: tuple[int, int, int] = (200, 80, 40)) -> Scene:
    """One colour, in which any error of colour is seen."""
    return Scene([np.full((*size, 3), colour, np.uint8) for _ in range(frames)])


def disc(size: tuple[int, int] = SIZE) -> Bytes:
    """A soft-edged round subject in the middle: (H, W) uint8."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    distance = np.hypot(rows - (size[0] - 1) / 2, columns - (size[1] - 1) / 2)
    return np.asarray(np.rint(np.clip((min(size) * 0.3 - distance) / 3 + 0.5, 0, 1) * 255), np.uint8)


def _over(behind: Bytes, cast: list[tuple[str, float, float]], frames: int) -> Scene:
    """Lay subjects over a picture: of each its photo's name, where its centre begins as a share of the width, and its
    step to the right in pixels a frame. The last one is in front."""
    pictures, truth = [], []
    cutouts = [_cutout(name, behind.shape[0]) for name, _, _ in cast]
    for number in range(frames):
        picture, seen = behind.astype(np.float32), np.zeros(behind.shape[:2], np.float32)
        for (colour, alpha), (_, begin, step) in zip(cutouts, cast, strict=True):
            left = begin * behind.shape[1] + step * number - alpha.shape[1] / 2
            matrix = np.array([[1, 0, left], [0, 1, behind.shape[0] - alpha.shape[0]]], np.float64)
            weight = cv2.warpAffine(alpha, matrix, behind.shape[1::-1])[..., np.newaxis]
            # Premultiplied, so that nothing that was cut away shines in at a moved edge.
            picture = cv2.warpAffine(colour * alpha[..., np.newaxis], matrix, behind.shape[1::-1]) + picture * (
                1 - weight
            )
            seen = weight[..., 0] + seen * (1 - weight[..., 0])
        pictures.append(np.asarray(np.rint(np.clip(picture, 0, 255)), np.uint8))
        truth.append(np.asarray(np.rint(seen * 255), np.uint8))
    return Scene(pictures, truth)


def _cutout(name: str, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a photo's subject, as the golden alpha has it: (colour, alpha 0 to 1), of at most that height."""
    picture = photo(name)
    with Image.open(TESTS / "golden" / f"{name}_alpha.png") as matte:
        alpha = np.asarray(matte.convert("L").resize(picture.size, Image.Resampling.BOX))
    side = round(height * 0.85 * picture.width / picture.height), round(height * 0.85)
    colour = cv2.resize(np.asarray(picture), side, interpolation=cv2.INTER_AREA)
    small = cv2.resize(alpha, side, interpolation=cv2.INTER_AREA)
    return colour.astype(np.float32), (small / np.float32(255)).astype(np.float32)


def _wood(size: tuple[int, int]) -> Bytes:
    """Return a background without a subject: a part of a photo's table."""
    table = np.asarray(photo("coffee"))[:130, 460:]
    return np.asarray(cv2.resize(table, size[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def _covering(name: str, size: tuple[int, int]) -> Bytes:
    """Return a photo, scaled and cut so that it covers `size` = (height, width)."""
    picture = np.asarray(photo(name))
    scale = max(size[0] / picture.shape[0], size[1] / picture.shape[1])
    side = max(size[1], round(picture.shape[1] * scale)), max(size[0], round(picture.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(picture, side, interpolation=method)[: size[0], : size[1]], np.uint8)

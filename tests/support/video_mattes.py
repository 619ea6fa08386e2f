"""Frames of scenes, and models that know their mattes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from server.generation import GenerationModel
from server.matting import Matte
from server.video.frame import Frame
from server.video.mattes import Mattes, build_mattes
from server.video.models import VideoModels
from server.video.planes import from_rgb
from server.video.task import VideoMatting
from tests.support.clip_scenes import Scene

Bytes = NDArray[np.uint8]
_RATE = 25
_THUMBNAIL = 32, 18


def frames_of(scene: Scene) -> list[Frame]:
    """The scene, as it comes out of a decoder."""
    planes = [from_rgb(picture) for picture in scene.frames]
    return [Frame(number, number / _RATE, each.y, each.u, each.v) for number, each in enumerate(planes)]


@dataclass
class Knowing:
    """A model that recognises each frame of a scene and answers its true matte, made worse by `spoil`.

    `asked`: the numbers of the frames, as it was asked.
    """

    scene: Scene
    name: str = "knowing"
    size: tuple[int, int] = (256, 256)
    device: str = "cpu/fake/u8"
    spoil: Callable[[Bytes], Bytes] = np.asarray
    asked: list[int] = field(default_factory=list)

    def infer(self, image: Bytes) -> Matte:
        """The matte of the frame that looks most like the picture."""
        assert image.shape == (*self.size, 3)
        seen = _thumbnail(image)
        number = int(np.argmin([np.abs(_thumbnail(frame) - seen).mean() for frame in self.scene.frames]))
        self.asked.append(number)
        assert self.scene.truth is not None
        truth = cv2.resize(self.scene.truth[number], self.size[::-1], interpolation=cv2.INTER_AREA)
        return Matte(self.spoil(np.asarray(truth, np.uint8)), self.device)


def mattes_of(
    scene: Scene, matting: VideoMatting, *, fast: Knowing | None = None, quality: Knowing | None = None, frames: int = 0
) -> tuple[Mattes, list[Bytes]]:
    """Both what is said of the mattes and each frame's. `frames`: how many are announced; the scene's unless told."""
    mattes = build_mattes(matting, models(fast, quality), frames or len(scene.frames))
    matted = list(mattes.follow(frames_of(scene)))
    assert [each.frame.number for each in matted] == list(range(len(scene.frames)))
    return mattes, [each.alpha for each in matted]


def models(fast: Knowing | None, quality: Knowing | None) -> VideoModels:
    """Models of which one that is None may not be asked."""

    def small() -> Knowing:
        assert fast is not None
        return fast

    def large() -> Knowing:
        assert quality is not None
        return quality

    def painting(_name: str | None) -> GenerationModel:
        raise AssertionError

    return VideoModels(small, large, painting)


def change(mattes: list[Bytes]) -> float:
    """Mean difference between one matte and the next, in levels."""
    return float(np.mean([_difference(one, other) for one, other in pairwise(mattes)]))


def restless(seed: int = 5, levels: float = 40) -> Callable[[Bytes], Bytes]:
    """What a model's answer is like where noise reaches it: other at every time along the outline."""
    noise = np.random.default_rng(seed)

    def spoil(alpha: Bytes) -> Bytes:
        blurred = cv2.GaussianBlur(alpha, (0, 0), 3).astype(np.float32)
        coarse = noise.normal(0, levels, (alpha.shape[0] // 4, alpha.shape[1] // 4)).astype(np.float32)
        outline = 1 - np.abs(blurred / 127.5 - 1)
        moved = blurred + cv2.resize(coarse, alpha.shape[::-1]) * outline
        return np.asarray(np.clip(moved, 0, 255), np.uint8)

    return spoil


def counted(frames: list[Frame]) -> tuple[Iterator[Frame], list[int]]:
    """The frames, and the numbers of those that were taken so far."""
    taken: list[int] = []

    def give() -> Iterator[Frame]:
        for frame in frames:
            taken.append(frame.number)
            yield frame

    return give(), taken


def _difference(one: Bytes, other: Bytes) -> float:
    return float(cv2.absdiff(one, other).mean())


def _thumbnail(picture: Bytes) -> NDArray[np.int16]:
    return np.asarray(cv2.resize(picture, _THUMBNAIL, interpolation=cv2.INTER_AREA), np.int16)

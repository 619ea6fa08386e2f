"""Frames of any proportions in a model's picture, and its answer back."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from server.matting import Matte
from server.video import fast, quality
from server.video.asked import Asked, place
from server.video.watch import watched
from tests.support.clip_scenes import Scene
from tests.support.video_mattes import frames_of

SELFIE = 144, 256


@pytest.mark.parametrize(
    ("size", "height", "width"),
    [
        ((1080, 1920), 144, 256),  # its own proportions: all of it
        ((1920, 1080), 144, 121),  # upright: 1.5 times as wide as it is
        ((1000, 1000), 144, 216),  # square
        ((1440, 1920), 144, 256),  # 4:3 may fill it
        ((540, 1920), 108, 256),  # a cinema's: 1.5 times as high as it is
    ],
)
def test_nobody_is_stretched_too_far(size: tuple[int, int], height: int, width: int) -> None:
    box = place(size, SELFIE, fast.MOST_STRETCH)
    assert (box.height, box.width) == (height, width)
    assert (box.top, box.left) == ((144 - height) // 2, (256 - width) // 2)
    stretch = (box.width / size[1]) / (box.height / size[0])
    assert 1 / 1.51 < stretch < 1.51


def test_the_large_model_sees_the_frame_as_it_sees_a_picture() -> None:
    box = place((1920, 1080), (1024, 1024), quality.MOST_STRETCH)
    assert (box.height, box.width) == (1024, 1024)


@dataclass
class Bright:
    """A model to which what is bright is subject."""

    size: tuple[int, int] = SELFIE
    name: str = "bright"
    shown: list[NDArray[np.uint8]] = field(default_factory=list)

    def infer(self, image: NDArray[np.uint8]) -> Matte:
        self.shown.append(image)
        return Matte(np.where(image[..., 0] > 127, 255, 0).astype(np.uint8), "cpu/fake/u8")


@pytest.mark.parametrize("size", [(320, 180), (180, 320), (200, 200), (64, 320)])
def test_the_answer_lies_where_the_subject_is(size: tuple[int, int]) -> None:
    height, width = size
    picture = np.full((height, width, 3), 30, np.uint8)
    box = np.s_[height // 4 : height // 2, width // 2 : 3 * width // 4]
    picture[box] = 220
    (seen,) = watched(frames_of(Scene([picture])), fast.SIGHT)
    model = Bright()
    asked = Asked(lambda: model, fast.MOST_STRETCH)
    assert asked.device == ""
    alpha = asked.alpha(seen)
    assert asked.device == "cpu/fake/u8"
    assert alpha.shape == seen.luma.shape
    truth = np.zeros(size, np.uint8)
    truth[box] = 255
    assert (alpha > 127).sum() == pytest.approx((truth > 0).sum(), rel=0.1)
    assert np.count_nonzero((alpha > 127) & (truth == 0)) < 0.1 * np.count_nonzero(truth)


def test_an_answer_that_was_kept_is_not_asked_for_again() -> None:
    (seen,) = watched(frames_of(Scene([np.full((64, 64, 3), 200, np.uint8)])), fast.SIGHT)
    model = Bright()
    asked = Asked(lambda: model, fast.MOST_STRETCH)
    kept = asked.keep(seen)
    assert asked.alpha(seen) is kept
    assert len(model.shown) == 1
    asked.alpha(seen)
    assert len(model.shown) == 2

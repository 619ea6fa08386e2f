"""Planes over planes: as floats in RGB would have it, and the subject without the light of where it stood."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from server.video.frame import Frame
from server.video.planes import Planes, cut_out, from_rgb, over, plain, to_pixels
from tests.support.clip_scenes import disc, pan

SIZE = 96, 160
SOFT = np.asarray(cv2.GaussianBlur(disc(SIZE), (0, 0), 6), np.uint8)


def smooth(seed: int) -> NDArray[np.uint8]:
    """A picture whose colours survive 4:2:0."""
    small = np.random.default_rng(seed).integers(60, 200, (4, 6, 3), np.uint8)
    return np.asarray(cv2.resize(small, SIZE[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def frame_of(picture: NDArray[np.uint8]) -> Frame:
    return Frame(0, 0.0, *from_rgb(picture).colours)


def with_alpha(picture: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> Planes:
    return Planes(*from_rgb(picture).colours, alpha)


def test_a_picture_survives_its_planes() -> None:
    picture = smooth(1)
    assert np.abs(to_pixels(from_rgb(picture)).astype(int) - picture).max() <= 3
    assert np.abs(frame_of(picture).view(SIZE).astype(int) - picture).max() <= 3


def test_a_view_is_the_picture_made_smaller() -> None:
    picture = np.asarray(pan("coffee", 1, (180, 320)).frames[0])
    small = cv2.resize(picture, (64, 36), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(frame_of(picture).view((36, 64)) - small).mean() < 2


def test_a_soft_subject_over_an_opaque_background() -> None:
    upper, lower, share = smooth(1), smooth(2), SOFT[..., np.newaxis] / 255
    expected = upper * share + lower * (1 - share)
    assert np.abs(to_pixels(over(with_alpha(upper, SOFT), from_rgb(lower))) - expected).max() <= 5


@pytest.mark.parametrize("alpha", [0, 100, 255])
def test_a_soft_subject_over_a_transparent_one(alpha: int) -> None:
    upper, lower = smooth(1), smooth(2)
    a, b = SOFT / 255, np.full(SIZE, alpha / 255)
    total = a + b * (1 - a)
    seen = to_pixels(over(with_alpha(upper, SOFT), with_alpha(lower, np.full(SIZE, alpha, np.uint8))))
    assert np.abs(seen[..., 3] - total * 255).max() <= 2
    share = (a / np.maximum(total, 1e-6))[..., np.newaxis]
    wrong = np.abs(seen[..., :3] - (upper * share + lower * (1 - share)))
    assert wrong[total > 0.2].max() <= 6


def test_one_colour_is_that_colour() -> None:
    seen = to_pixels(plain([200, 100, 50], SOFT))
    assert (np.abs(seen[40:56, 72:88, :3] - np.array([200.0, 100, 50])) <= 2).all()
    assert np.array_equal(seen[..., 3], SOFT)


def test_the_light_of_the_old_background_is_taken_out_of_the_edge() -> None:
    """A red subject that stood before green: over grey, its edge has no green in it."""
    red, green, grey = (np.full((*SIZE, 3), colour, np.uint8) for colour in [(200, 30, 30), (30, 200, 30), (128,) * 3])
    matte = np.asarray(cv2.GaussianBlur(disc(SIZE), (0, 0), 2), np.uint8)
    share = matte[..., np.newaxis] / 255
    filmed = np.rint(red * share + green * (1 - share)).astype(np.uint8)
    wanted = red * share + grey * (1 - share)
    made = to_pixels(over(cut_out(frame_of(filmed), matte, hidden=False), from_rgb(grey)))
    as_it_was = to_pixels(over(with_alpha(filmed, matte), from_rgb(grey)))
    edge = (matte > 20) & (matte < 235)
    assert np.abs(made - wanted)[edge].mean() < 0.3 * np.abs(as_it_was - wanted)[edge].mean()


def test_what_is_far_from_a_transparent_subject_is_black() -> None:
    sharp = np.where(disc(SIZE) > 127, 255, 0).astype(np.uint8)
    cut = cut_out(frame_of(smooth(1)), sharp, hidden=True)
    assert {int(plane[0, 0]) for plane in cut.colours} == {16, 128}
    assert np.array_equal(cut.y[40:56, 72:88], from_rgb(smooth(1)).y[40:56, 72:88])

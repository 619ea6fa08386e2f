"""Full-size mattes: exact where the small one is sure, on the frame's edges where it is not, and without its noise."""

import cv2
import numpy as np
import pytest

from server.video import fast
from server.video.finish import finished, onto_edges, with_detail
from server.video.noise import noise_of
from server.video.tiles import tiles
from server.video.watch import Seen, Sight, shrunk, watched, working_factor
from tests.support.clip_scenes import Scene, flat, moving, still
from tests.support.video_mattes import frames_of


def _seen(picture: np.ndarray, side: int) -> Seen:
    sight = Sight(side, 64, fast.SIGHT.effort)
    (seen,) = watched(frames_of(Scene([picture])), sight)
    return seen


def _small(alpha: np.ndarray, seen: Seen) -> np.ndarray:
    return cv2.resize(alpha, seen.luma.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)


@pytest.mark.parametrize(
    ("size", "side", "factor"),
    [((1080, 1920), 1024, 2), ((1080, 1920), 480, 4), ((2160, 3840), 1024, 4), ((270, 480), 1024, 1)],
)
def test_the_working_size_is_a_whole_part_of_the_frame(size: tuple[int, int], side: int, factor: int) -> None:
    assert working_factor(size, side) == factor


def test_sides_that_no_number_divides_stay_as_they_are() -> None:
    assert working_factor((1082, 1918), 480) == 2


@pytest.mark.parametrize("lines", [with_detail, onto_edges])
@pytest.mark.parametrize("side", [80, 160, 320])
def test_a_matte_has_the_frame_s_size_and_is_exact_where_it_is_sure(lines: object, side: int) -> None:
    scene = moving(frames=1)
    assert scene.truth is not None
    seen = _seen(scene.frames[0], side)
    alpha = finished(seen, _small(scene.truth[0], seen), lines, 0.0)  # type: ignore[arg-type]
    assert alpha.shape == scene.size
    assert alpha.dtype == np.uint8
    assert alpha.flags.c_contiguous
    far = np.ones((61, 61), np.uint8)
    assert (alpha[cv2.dilate(scene.truth[0], far) == 0] == 0).all()
    assert (alpha[cv2.erode(scene.truth[0], far) == 255] == 255).all()


def test_what_is_thinner_than_the_small_matte_s_pixels_comes_back() -> None:
    """Lines of two pixels, in a matte of a quarter of the size."""
    truth = np.zeros((160, 320), np.uint8)
    truth[40:120, 100:220] = 255
    truth[20:40, 100:220:8] = truth[20:40, 101:220:8] = 255  # as hair stands off a head
    picture = np.where(truth[..., np.newaxis] > 0, np.uint8(30), np.uint8(220)).repeat(3, axis=2)
    seen = _seen(picture, 80)
    small = _small(truth, seen)
    found = finished(seen, small, with_detail, 0.0)
    without = cv2.resize(small, (320, 160))
    hair = np.s_[22:38, 100:220]
    assert np.abs(found[hair].astype(int) - truth[hair]).mean() < np.abs(without[hair] - truth[hair]).mean() * 0.7


def test_a_rough_matte_is_drawn_to_the_edge() -> None:
    truth = np.zeros((160, 320), np.uint8)
    truth[:, 163:] = 255
    picture = np.where(truth[..., np.newaxis] > 0, np.uint8(40), np.uint8(200)).repeat(3, axis=2)
    rough = cv2.GaussianBlur(np.roll(truth, 3, axis=1), (0, 0), 4)  # 3 pixels off, and blurred
    seen = _seen(picture, 160)
    found = finished(seen, _small(rough, seen), onto_edges, 0.0)
    middle = np.s_[40:120, 60:-60]
    assert (
        np.abs(found[middle].astype(int) - truth[middle]).mean()
        < np.abs(rough[middle].astype(int) - truth[middle]).mean() / 2
    )


def test_parts_are_the_same_as_the_whole() -> None:
    """Tiles leave no seams: a matte that is unsure everywhere is one picture."""
    scene = moving(frames=1)
    seen = _seen(scene.frames[0], 160)
    across = np.linspace(10, 240, seen.luma.shape[1], dtype=np.float32)[np.newaxis].repeat(seen.luma.shape[0], axis=0)

    def no_detail(luma: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros_like(luma), alpha

    found = finished(seen, across, no_detail, 0.0)
    assert np.abs(found.astype(np.float32) - cv2.resize(across, scene.size[::-1])).max() <= 1


def test_tiles_hold_what_is_asked_for_and_little_else() -> None:
    where = np.zeros((100, 130), np.bool_)
    where[40, 10] = where[99, 129] = True
    held = np.zeros_like(where)
    for box in tiles(where):
        held[box.top : box.bottom, box.left : box.right] = True
    assert held[where].all()
    assert held.sum() <= 32 * 32 + 4 * 2
    assert list(tiles(np.zeros((100, 130), np.bool_))) == []


@pytest.mark.parametrize("noise", [2.0, 5.0])
def test_noise_is_measured(noise: float) -> None:
    picture = still(frames=1, size=(360, 640), noise=noise).frames[0]
    (frame,) = frames_of(Scene([picture]))
    luma_noise = noise * float(np.hypot.reduce([0.2126, 0.7152, 0.0722])) * 219 / 255
    assert noise_of(frame.luma) == pytest.approx(luma_noise, rel=0.3, abs=0.3)


def test_texture_is_no_noise() -> None:
    for scene in (flat(frames=1), moving(frames=1, size=(360, 640))):
        assert noise_of(frames_of(scene)[0].luma) < 1


def test_a_plane_is_shrunk_to_its_averages() -> None:
    plane = np.array([[0, 10, 100, 100], [20, 30, 100, 104]], np.uint8)
    assert shrunk(plane, 2).tolist() == [[15, 101]]
    assert shrunk(plane, 1).tolist() == plane.tolist()

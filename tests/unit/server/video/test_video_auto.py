"""The small model, only where the large one agrees with it."""

import numpy as np
import pytest

from server.errors import ModelUnavailableError
from server.matting import Matte
from server.video.auto import agreement
from server.video.mattes import build_mattes
from server.video.task import VideoMatting
from tests.support.clip_scenes import Scene, cut, moving
from tests.support.video_mattes import Knowing, frames_of, mattes_of, models

FULL, NONE = np.full((36, 64), 255, np.uint8), np.zeros((36, 64), np.uint8)
LEFT = np.hstack([FULL[:, :32], NONE[:, 32:]])


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([(LEFT, LEFT)], 1.0),
        ([(LEFT, FULL)], 0.5),
        ([(LEFT, LEFT), (LEFT, FULL)], 0.5),  # the frame in which they agree least
        ([(LEFT, NONE)], 0.0),
        ([(NONE, NONE)], 0.0),  # nothing was found: they agree about nothing
        ([(NONE, NONE), (LEFT, LEFT)], 1.0),  # the subject comes later
        ([(LEFT, np.kron(LEFT, np.ones((2, 2), np.uint8)))], 1.0),  # sizes may differ
        ([], 0.0),
    ],
)
def test_agreement_is_that_of_the_worst_frame(pairs: list[tuple[np.ndarray, np.ndarray]], found: float) -> None:
    assert agreement(pairs) == pytest.approx(found)


def _small(scene: Scene) -> Knowing:
    return Knowing(scene, name="small", size=(144, 256), device="cpu/fake/small")


def _blind(scene: Scene) -> Knowing:
    return Knowing(scene, name="small", size=(144, 256), device="cpu/fake/small", spoil=np.zeros_like)


def test_fast_where_both_agree_on_the_first_frames() -> None:
    scene = moving(frames=9)
    small, large = _small(scene), Knowing(scene)
    mattes, found = mattes_of(scene, VideoMatting.AUTO, fast=small, quality=large)
    assert mattes.matting is VideoMatting.FAST
    assert mattes.agreement is not None
    assert mattes.agreement >= 0.9
    assert mattes.models == ("small", "knowing")
    assert mattes.device == "cpu/fake/small"
    assert large.asked == [0, 2, 4]
    assert sorted(small.asked) == list(range(9))  # each once
    assert len(found) == 9


def test_quality_where_the_small_model_sees_nobody() -> None:
    scene = moving(frames=9)
    small, large = _blind(scene), Knowing(scene)
    mattes, found = mattes_of(scene, VideoMatting.AUTO, fast=small, quality=large)
    assert mattes.matting is VideoMatting.QUALITY
    assert mattes.agreement == 0
    assert mattes.device == "cpu/fake/u8"
    assert small.asked == [0, 2, 4]
    assert sorted(large.asked) == list(range(9))
    assert max(alpha.max() for alpha in found) == 255


def test_what_is_shown_after_a_cut_is_decided_anew() -> None:
    """The small model knows the first subject and not the second: that one is not lost."""
    scene = cut(frames=12)
    assert scene.truth is not None
    half = Scene(scene.frames, [*scene.truth[:6], *[np.zeros_like(alpha) for alpha in scene.truth[6:]]])
    small, large = _small(half), Knowing(scene)
    mattes, found = mattes_of(scene, VideoMatting.AUTO, fast=small, quality=large)
    assert mattes.matting is VideoMatting.QUALITY
    assert mattes.agreement == 0
    assert set(small.asked) == {*range(6), 6, 8, 10}
    for alpha, truth in zip(found, scene.truth, strict=True):
        assert np.mean(np.abs(alpha.astype(np.int16) - truth)) < 6


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_a_video_may_be_shorter_than_what_is_looked_at(frames: int) -> None:
    scene = moving(frames=frames)
    mattes, _ = mattes_of(scene, VideoMatting.AUTO, fast=_small(scene), quality=Knowing(scene))
    assert mattes.matting is VideoMatting.FAST


def test_only_auto_says_how_far_the_models_agree() -> None:
    scene = moving(frames=2)
    mattes, _ = mattes_of(scene, VideoMatting.FAST, fast=_small(scene))
    assert mattes.agreement is None
    assert mattes.models == ("small",)


@pytest.mark.parametrize("matting", VideoMatting)
def test_a_model_that_does_not_answer_ends_it(matting: VideoMatting) -> None:
    class Gone(Knowing):
        def infer(self, image: np.ndarray) -> Matte:
            raise ModelUnavailableError("The model does not answer.")

    scene = moving(frames=2)
    mattes = build_mattes(matting, models(Gone(scene, size=(144, 256)), Gone(scene)), 2)
    with pytest.raises(ModelUnavailableError):
        list(mattes.follow(frames_of(scene)))

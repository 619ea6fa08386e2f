"""The large model on key frames, carried between them: right, within the budget, and never across a cut."""

import numpy as np
import pytest

from server.video.likeness import iou
from server.video.mattes import build_mattes
from server.video.quality import STRIDE, Budget, keys_for
from server.video.task import VideoMatting
from tests.support.clip_scenes import Scene, crossing, cut, moving, still
from tests.support.video_mattes import Knowing, change, counted, frames_of, mattes_of, models, restless

LONG = 120
"""Frames of a video that has no time for a key in every one of them."""


def _alike(found: list[np.ndarray], scene: Scene) -> list[float]:
    assert scene.truth is not None
    return [iou(one, other) for one, other in zip(found, scene.truth[: len(found)], strict=True)]


@pytest.mark.parametrize("scene", [moving(frames=17, step=3.0), crossing(frames=17)], ids=["moving", "crossing"])
def test_carried_mattes_are_almost_those_of_every_frame(scene: Scene) -> None:
    model = Knowing(scene)
    _, every = mattes_of(scene, VideoMatting.QUALITY, quality=Knowing(scene))
    mattes, found = mattes_of(scene, VideoMatting.QUALITY, quality=model, frames=LONG)
    assert len(model.asked) < len(scene.frames) * 2 / 3
    assert np.mean([iou(one, other) for one, other in zip(found, every, strict=True)]) >= 0.97
    assert np.mean(_alike(found, scene)) >= 0.97
    assert mattes.models == ("knowing",)
    assert mattes.device == "cpu/fake/u8"
    assert mattes.matting is VideoMatting.QUALITY
    assert mattes.agreement is None


def test_a_still_subject_needs_the_regular_key_frames_alone() -> None:
    scene = still(frames=2 * STRIDE + 1)
    model = Knowing(scene)
    mattes_of(scene, VideoMatting.QUALITY, quality=model, frames=LONG)
    assert len(model.asked) == 3


def test_where_both_sides_disagree_there_is_one_key_frame_more() -> None:
    """The model finds nothing in the last frame: what lies between is asked about, and not half transparent."""
    scene = moving(frames=STRIDE + 1, step=3.0)
    assert scene.truth is not None
    gone = Scene(scene.frames, [*scene.truth[:-1], np.zeros_like(scene.truth[-1])])
    model = Knowing(gone)
    _, found = mattes_of(gone, VideoMatting.QUALITY, quality=model, frames=LONG)
    assert model.asked[:3] == [0, STRIDE, STRIDE // 2]
    assert min(_alike(found[: STRIDE // 2 + 1], gone)) > 0.95


def test_a_short_video_has_a_key_in_every_frame() -> None:
    scene = moving(frames=10)
    model = Knowing(scene)
    mattes_of(scene, VideoMatting.QUALITY, quality=model)
    assert model.asked == list(range(10))


def test_a_gpu_has_time_for_every_frame() -> None:
    scene = moving(frames=10)
    model = Knowing(scene, device="gpu/tensorrt/f16")
    mattes_of(scene, VideoMatting.QUALITY, quality=model, frames=LONG)
    assert model.asked == list(range(10))


def test_nothing_is_carried_across_a_cut() -> None:
    scene = cut(frames=12)
    model = Knowing(scene)
    _, found = mattes_of(scene, VideoMatting.QUALITY, quality=model, frames=LONG)
    assert {0, 5, 6, 11} <= set(model.asked)
    assert min(_alike(found, scene)) > 0.95
    assert scene.truth is not None
    left_behind = (scene.truth[5] == 255) & (scene.truth[6] == 0) & (scene.truth[7] == 0)
    assert left_behind.any()
    assert found[6][left_behind].mean() < 4
    assert found[7][left_behind].mean() < 4


@pytest.mark.parametrize("frames", [1, 2, 3, STRIDE, STRIDE + 1, STRIDE + 2])
def test_a_video_of_any_length_has_a_matte_for_each_frame(frames: int) -> None:
    scene = moving(frames=frames, size=(90, 160))
    _, found = mattes_of(scene, VideoMatting.QUALITY, quality=Knowing(scene), frames=LONG)
    assert len(found) == frames


def test_a_video_without_frames_has_no_mattes() -> None:
    for matting in VideoMatting:
        assert list(build_mattes(matting, models(None, None), 0).follow([])) == []


def test_few_frames_are_held() -> None:
    scene = moving(frames=30, size=(90, 160))
    frames, taken = counted(frames_of(scene))
    mattes = build_mattes(VideoMatting.QUALITY, models(None, Knowing(scene)), LONG)
    for given, _ in enumerate(mattes.follow(frames), start=1):
        assert len(taken) - given <= STRIDE


def test_a_still_subject_does_not_flicker() -> None:
    """At most a third of what the model alone does on every frame."""
    scene = still(frames=17)
    model = Knowing(scene, spoil=restless())
    _, found = mattes_of(scene, VideoMatting.QUALITY, quality=model, frames=LONG)
    again = Knowing(scene, spoil=restless())
    alone = [again.infer(frame.view(again.size)).alpha for frame in frames_of(scene)]
    assert change(found) <= change(alone) / 3


@pytest.mark.parametrize(
    ("frames", "device", "keys"),
    [
        (0, "cpu/openvino/bf16", 0),
        (1, "cpu/openvino/bf16", 1),
        (40, "cpu/openvino/bf16", 40),
        (60, "cpu/openvino/bf16", 36),
        (120, "cpu/openvino/bf16", 24),
        (480, "cpu/openvino/bf16", 99),
        (120, "cpu/mnn/f32", 8),
        (12, "cpu/mnn/f32", 12),
        (480, "gpu/tensorrt/f16", 480),
    ],
)
def test_keys_are_as_many_as_there_is_time_for(frames: int, device: str, keys: int) -> None:
    assert keys_for(frames, device) == keys


def test_where_the_model_is_slow_key_frames_are_farther_apart() -> None:
    scene = moving(frames=33)
    model = Knowing(scene, device="cpu/mnn/f32")
    _, found = mattes_of(scene, VideoMatting.QUALITY, quality=model, frames=LONG)
    assert {0, 17, 32} <= set(model.asked)  # Eight of 120 frames have seven spans between them.
    assert len(model.asked) <= 6
    assert np.mean(_alike(found, scene)) >= 0.95


def test_the_budget_is_not_spent_before_the_end() -> None:
    """However much the first half asks for, the regular key frames of the second are left."""
    budget = Budget(LONG)
    spent = 0
    for number in range(LONG):
        if number % STRIDE == 0 or budget.allows(number):
            budget.spend("cpu")
            spent += 1
        if number == LONG // 2:
            assert spent <= keys_for(LONG, "cpu") * 0.6 + 2
    assert spent <= keys_for(LONG, "cpu")

"""Steady where nothing moves, and no trace of where the subject was."""

import cv2
import numpy as np

from server.video import fast
from server.video.task import VideoMatting
from server.video.temporal import Steadied
from server.video.watch import watched
from tests.support.clip_scenes import cut, moving, still
from tests.support.video_mattes import Knowing, change, frames_of, mattes_of, restless


def test_a_still_subject_does_not_flicker() -> None:
    """At most a third of what the model alone does on every frame."""
    scene = still(frames=12)
    model = Knowing(scene, size=(144, 256), spoil=restless(levels=25))
    _, found = mattes_of(scene, VideoMatting.FAST, fast=model)
    again = Knowing(scene, size=(144, 256), spoil=restless(levels=25))
    alone = [again.infer(frame.view(again.size)).alpha for frame in frames_of(scene)]
    assert change(found) <= change(alone) / 3


def test_a_moving_subject_leaves_no_ghost() -> None:
    scene = moving(frames=8, step=8.0)
    _, found = mattes_of(scene, VideoMatting.FAST, fast=Knowing(scene, size=(144, 256)))
    assert scene.truth is not None
    for number in range(1, len(found)):
        was = (scene.truth[number - 1] == 255) & (scene.truth[number] == 0)
        became = (scene.truth[number - 1] == 0) & (scene.truth[number] == 255)
        assert was.any()
        assert found[number][was].mean() < 24
        assert found[number][became].mean() > 255 - 24


def test_what_moves_is_steadied_too() -> None:
    """Noise is taken from the subject's inside, which moves: what is carried is carried along."""
    scene = moving(frames=8, step=4.0)
    assert scene.truth is not None
    noise, steadied, errors, before = np.random.default_rng(2), Steadied(), [], []
    for seen, truth in zip(watched(frames_of(scene), fast.SIGHT), scene.truth, strict=True):
        inside = cv2.erode(truth, np.ones((9, 9), np.uint8)) == 255
        half = truth // 2
        noisy = np.clip(half + noise.normal(0, 6, truth.shape), 0, 255).astype(np.uint8)
        found = steadied.next(seen, noisy)
        errors.append(np.abs(found - half)[inside].mean())
        before.append(np.abs(noisy.astype(np.float32) - half)[inside].mean())
    assert np.mean(errors[4:]) < np.mean(before[4:]) * 0.6


def test_after_a_cut_the_new_matte_counts_as_it_is() -> None:
    scene = cut(frames=6)
    assert scene.truth is not None
    steadied = Steadied()
    for seen, truth in zip(watched(frames_of(scene), fast.SIGHT), scene.truth, strict=True):
        found = steadied.next(seen, truth)
        if seen.back is None:
            assert np.array_equal(found, truth.astype(np.float32))

"""A cut is where something else is shown, and nowhere else."""

from collections.abc import Callable
from functools import partial
from itertools import accumulate

import numpy as np
import pytest

from server.video import fast, quality
from server.video.watch import Sight, watched
from tests.support.clip_scenes import Scene, crossing, cut, flat, moving, pan, still, zoom
from tests.support.video_mattes import frames_of

SIGHTS = pytest.mark.parametrize("sight", [fast.SIGHT, quality.SIGHT], ids=["fast", "quality"])


def _cuts(scene: Scene, sight: Sight) -> list[int]:
    seen = list(watched(frames_of(scene), sight))
    assert [each.shot for each in seen] == list(accumulate([each.back is None for each in seen[1:]], initial=0))
    return [each.frame.number for each in seen if each.back is None][1:]


def _joined(*scenes: Scene) -> Scene:
    return Scene([frame for scene in scenes for frame in scene.frames])


def _lit(scene: Scene, levels: list[float]) -> Scene:
    pairs = zip(scene.frames, levels, strict=True)
    return Scene([np.clip(frame * level, 0, 255).astype(np.uint8) for frame, level in pairs])


@SIGHTS
def test_a_cut_is_found_where_it_is(sight: Sight) -> None:
    assert _cuts(cut(8), sight) == [4]


@SIGHTS
@pytest.mark.parametrize("scene", [pan, zoom, moving, crossing, still, flat, partial(moving, step=25.0)])
def test_motion_and_noise_are_no_cut(sight: Sight, scene: Callable[..., Scene]) -> None:
    assert _cuts(scene(frames=6), sight) == []


@SIGHTS
def test_a_flash_and_a_fade_are_no_cut(sight: Sight) -> None:
    assert _cuts(_lit(pan(frames=6), [0.6, 0.6, 0.6, 1.3, 0.6, 0.6]), sight) == []
    assert _cuts(_lit(pan(frames=6), [1, 0.8, 0.6, 0.4, 0.2, 0.1]), sight) == []


@SIGHTS
def test_every_cut_is_found(sight: Sight) -> None:
    one, other, third = pan("coffee", 3), zoom("chelsea", 2), pan("astronaut", 3)
    assert _cuts(_joined(one, other, third), sight) == [3, 5]
    assert _cuts(_joined(flat(3, colour=(0, 0, 0)), one), sight) == [3]

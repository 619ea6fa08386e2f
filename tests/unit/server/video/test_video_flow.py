"""Where things lie in another frame, and how far that is to be believed."""

import cv2
import numpy as np
import pytest

from server.video.flow import Effort, carried, chained, flow_between, trust
from tests.support.clip_scenes import moving, pan

MIDDLE = np.s_[30:-30, 40:-40]


def _grey(picture: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


@pytest.mark.parametrize("effort", Effort)
def test_flow_finds_a_shift(effort: Effort) -> None:
    here, there = (_grey(frame) for frame in pan(frames=4).frames[:3:2])
    flow = flow_between(here, there, effort)
    assert flow[MIDDLE].mean(axis=(0, 1)) == pytest.approx((-4, 0), abs=0.3)  # the window has moved by 4 pixels


def test_a_picture_too_small_for_flow_is_taken_to_stand_still() -> None:
    tiny = np.zeros((9, 16), np.uint8)
    assert not flow_between(tiny, tiny, Effort.SOME).any()


def test_values_of_any_size_are_carried_to_where_the_flow_leads() -> None:
    values = np.zeros((40, 60), np.uint8)
    values[:, 30:] = 255
    flow = np.full((20, 30, 2), (5, 0), np.float32)  # 5 pixels of 30: 10 of 60
    moved = carried(values, flow)
    assert moved.dtype == np.uint8
    assert (moved[:, :20] == 0).all()
    assert (moved[:, 20:] == 255).all()


def test_flows_are_chained() -> None:
    one = np.full((20, 30, 2), (2, 1), np.float32)
    other = np.full((20, 30, 2), (3, -1), np.float32)
    assert chained(one, other)[5, 5] == pytest.approx((5, 0))


def test_a_flow_is_believed_where_it_leads_back_and_looks_alike() -> None:
    scene = moving(frames=4, step=6.0)
    here, there = _grey(scene.frames[0]), _grey(scene.frames[3])
    flow, back = flow_between(here, there, Effort.SOME), flow_between(there, here, Effort.SOME)
    believed = trust(flow, back, here, there)
    assert scene.truth is not None
    inside = cv2.erode(scene.truth[0], np.ones((15, 15), np.uint8)) == 255
    covered = (scene.truth[0] == 0) & (scene.truth[3] == 255)  # behind the subject by then
    assert believed.min() >= 0
    assert believed.max() <= 1
    assert np.median(believed[inside]) > 0.7
    assert np.median(believed[covered]) < 0.3


def test_nothing_beyond_the_border_is_believed() -> None:
    still = np.full((30, 40), 90, np.uint8)
    flow = np.full((30, 40, 2), (10, 0), np.float32)
    believed = trust(flow, -flow, still, still)
    assert (believed[:, 31:] == 0).all()
    assert (believed[:, 10:29] > 0.9).all()

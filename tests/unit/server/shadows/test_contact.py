"""The shadow on the ground: dark at the feet, soft and faint away from them, and nothing above."""

import numpy as np
import pytest
from numpy.typing import NDArray

from server.composition import SHADE, Color, ContactShadow
from server.image.layout import Layout
from server.image.libvips import to_array
from server.image.stage import Stage
from server.shadows.contact import render
from tests.support.stages import bar, stage_with

SOLID = Color(0, 0, 0)
FOOT = 160
POST = bar((200, 240), (40, FOOT), (100, 140))
"""A post that stands on row 160."""


def strength(stage: Stage, shadow: ContactShadow) -> NDArray[np.int_]:
    return to_array(render(stage, shadow).strength)[..., 0].astype(int)


def test_it_lies_at_the_feet() -> None:
    drawn = strength(stage_with(POST), ContactShadow(color=SOLID))
    rows = drawn.max(axis=1)
    assert abs(int(rows.argmax()) - FOOT) <= 4
    assert rows.max() > 200
    # Nothing falls on what is above the laid outline, nor far in front.
    assert not rows[: FOOT - 60].any()
    assert not rows[FOOT + 20 :].any()


def test_it_gets_fainter_away_from_the_feet() -> None:
    drawn = strength(stage_with(POST), ContactShadow(color=SOLID))
    front = drawn[FOOT + 2 : FOOT + 20, 120]
    assert front[0] > 100
    assert (np.diff(front) <= 0).all()
    side = drawn[FOOT - 1, 141:200]
    assert (np.diff(side) <= 0).all()
    assert side[0] > side[20]


def test_it_gets_softer_away_from_the_feet() -> None:
    # Light from the left lays the post's outline to the right, where it is seen alone.
    drawn = strength(stage_with(POST), ContactShadow(offset_x=90, blur_radius=12, color=SOLID)).astype(float)

    def steepest(height: float) -> float:
        row = drawn[FOOT - round(0.22 * (FOOT - 40) * height)]
        return float(np.abs(np.diff(row)).max() / max(1, row.max()))

    assert steepest(0.2) > 1.3 * steepest(0.5)


def test_light_from_straight_ahead_is_even_on_both_sides() -> None:
    drawn = strength(stage_with(POST), ContactShadow())
    assert np.abs(drawn - drawn[:, ::-1]).max() <= 1


@pytest.mark.parametrize("lean", [40, -40])
def test_its_far_end_leans(lean: int) -> None:
    drawn = strength(stage_with(POST), ContactShadow(offset_x=lean))
    far, columns = drawn[FOOT - 18], np.arange(240)
    assert (np.average(columns, weights=far) - 119.5) * np.sign(lean) > 10
    mirrored = strength(stage_with(POST), ContactShadow(offset_x=-lean))
    assert np.abs(drawn - mirrored[:, ::-1]).max() <= 2


@pytest.mark.parametrize("down", [30, -30, 2000, -2000])
def test_it_is_moved_as_a_whole(down: int) -> None:
    there, moved = (strength(stage_with(POST), ContactShadow(offset_y=offset)) for offset in (0, down))
    expected = np.zeros_like(there)
    if abs(down) < 200:
        expected[max(0, down) : 200 + min(0, down)] = there[max(0, -down) : 200 - max(0, down)]
    assert np.array_equal(moved[: 200 - 40], expected[: 200 - 40])


def test_a_foot_farther_behind_has_its_own() -> None:
    feet = POST | bar((200, 240), (40, FOOT - 8), (180, 200))
    drawn = strength(stage_with(feet), ContactShadow(color=SOLID))
    assert drawn[FOOT - 8 + 1, 190] > 100


def test_what_hangs_high_touches_no_ground() -> None:
    arm = POST | bar((200, 240), (60, 80), (140, 220))
    drawn, without = (strength(stage_with(alpha), ContactShadow(color=SOLID)) for alpha in (arm, POST))
    assert drawn[80:100, 160:215].max() <= 3
    assert without[80:100, 160:215].max() == 0


@pytest.mark.parametrize("lean", [0, 60, -2000])
def test_a_bust_stands_on_the_edge_of_its_canvas(lean: int) -> None:
    bust = bar((200, 240), (80, 200), (60, 180))
    drawn = strength(stage_with(bust), ContactShadow(lean))
    assert drawn[198, 56] > 20
    assert not drawn[:120].any()


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2)], ids=str)
@pytest.mark.parametrize("shadow", [ContactShadow(), ContactShadow(2000, -2000, 500), ContactShadow(0, 0, 0)], ids=str)
def test_canvases_of_any_form(size: tuple[int, int], shadow: ContactShadow) -> None:
    drawn = strength(stage_with(np.full(size, 255, np.uint8)), shadow)
    assert drawn.shape == size


@pytest.mark.parametrize("longest", [200, 1500, 4000])
def test_it_grows_with_the_canvas(longest: int) -> None:
    small = strength(stage_with(POST), ContactShadow())
    factor = longest / 240
    layout = Layout(longest, round(200 * factor + 0.5), factor)
    large = strength(stage_with(POST, layout, (200, 240)), ContactShadow(color=SHADE))
    rows, columns = (np.linspace(0.5, side - 0.5, 40) for side in (200, 240))
    at = np.ix_(rows.astype(int), columns.astype(int))
    there = np.ix_((rows * factor).astype(int), (columns * factor).astype(int))
    assert np.abs(small[at] - large[there]).mean() < 1.5


def test_no_subject_casts_none() -> None:
    assert not strength(stage_with(np.zeros((50, 60), np.uint8)), ContactShadow()).any()

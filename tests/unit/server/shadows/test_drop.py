"""The shadow of a cut-out: moved, softened as CSS does it, of one amount wherever it falls."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from server.composition import SHADE, Color, DropShadow
from server.image.layout import Layout
from server.image.libvips import to_array
from server.image.stage import Stage
from server.shadows.drop import render
from tests.support.stages import bar, stage_with

SOLID = Color(0, 0, 0)


def strength(stage: Stage, shadow: DropShadow) -> NDArray[np.uint8]:
    return to_array(render(stage, shadow).strength)[..., 0]


@pytest.mark.parametrize(("right", "down"), [(0, 0), (5, 3), (-5, -3), (20, 0), (0, -20)])
def test_hard_shadow_is_the_alpha_moved(right: int, down: int) -> None:
    alpha = bar((80, 100), (30, 50), (40, 60))
    alpha[30, 40:60] = 100
    moved = np.roll(alpha, (down, right), (0, 1))
    drawn = strength(stage_with(alpha), DropShadow(right, down, 0))
    assert np.abs(drawn - moved * (150 / 255)).max() <= 1


@pytest.mark.parametrize("radius", [1, 4, 10, 30, 60])
def test_its_edge_is_a_gaussian_of_half_the_radius(radius: int) -> None:
    alpha = bar((300, 300), (120, 180), (100, 200))
    exact = cv2.GaussianBlur(alpha.astype(np.float32), (0, 0), radius / 2)
    assert np.abs(strength(stage_with(alpha), DropShadow(0, 0, radius, SOLID)) - exact).max() <= 4


@given(
    longest=st.integers(50, 3000),
    offset=st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1)),
    blur=st.floats(0, 0.1),
    alpha=st.integers(1, 255),
)
@settings(max_examples=50, deadline=None)
def test_its_amount_is_the_subjects(longest: int, offset: tuple[float, float], blur: float, alpha: int) -> None:
    subject = bar((100, 100), (40, 60), (35, 65))
    stage = stage_with(subject, Layout(longest, longest, longest / 100), (100, 100))
    right, down = (round(share * longest) for share in offset)
    drawn = strength(stage, DropShadow(right, down, min(500, round(blur * longest)), Color(9, 9, 9, alpha)))
    amount = subject.sum(dtype=float) / 255 * (longest / 100) ** 2 * alpha
    # Each pixel that is shaded a little is rounded.
    assert drawn.sum(dtype=float) == pytest.approx(amount, rel=0.02, abs=0.5 * np.count_nonzero(drawn))
    assert drawn.max() <= alpha


@pytest.mark.parametrize(("right", "down"), [(90, 0), (-90, 0), (0, 90), (0, -90), (2000, 2000)])
@pytest.mark.parametrize("radius", [0, 40])
def test_what_leaves_the_canvas_comes_in_nowhere_else(right: int, down: int, radius: int) -> None:
    subject = bar((100, 100), (20, 80), (20, 80))
    drawn = strength(stage_with(subject), DropShadow(right, down, radius))
    wide = bar((500, 500), (220, 280), (220, 280))
    apart = strength(stage_with(wide), DropShadow(right, down, radius))[200:300, 200:300]
    assert np.abs(drawn.astype(int) - apart).max() <= 4


@pytest.mark.parametrize("right", [-30, 0, 30])
def test_it_does_not_fade_where_the_canvas_cuts_the_subject_off(right: int) -> None:
    subject = bar((100, 200), (0, 100), (60, 140))
    drawn = strength(stage_with(subject), DropShadow(right, 0, 40, SOLID)).astype(int)
    assert np.abs(drawn - drawn[50]).max() <= 1
    below = strength(stage_with(subject), DropShadow(right, -25, 40, SOLID)).astype(int)
    assert np.abs(below - drawn).max() <= 1


def test_it_ends_where_the_picture_cuts_the_subject_off_inside_of_the_canvas() -> None:
    subject = bar((100, 100), (0, 100), (30, 70))
    drawn = strength(stage_with(subject, Layout(300, 300, 1, 100, 100), (100, 100)), DropShadow(0, 0, 0, SOLID))
    assert np.array_equal(drawn, bar((300, 300), (100, 200), (130, 170)))


@pytest.mark.parametrize("longest", [200, 600, 1600])
def test_what_is_not_said_follows_the_canvas(longest: int) -> None:
    stage = stage_with(bar((100, 100), (30, 60), (30, 60)), Layout(longest, longest // 2, longest / 200), (100, 100))
    offset = round(longest * 0.01)
    said = DropShadow(offset, offset, round(longest * 0.015), SHADE)
    assert np.abs(strength(stage, DropShadow()).astype(int) - strength(stage, said)).max() <= 6
    assert render(stage, DropShadow()).color == SHADE


def test_alone_it_has_its_colour_where_it_is_and_is_nothing_elsewhere() -> None:
    stage = stage_with(bar((60, 60), (20, 40), (20, 40)))
    for color in (Color(200, 10, 0, 120), Color(0, 0, 0, 120)):
        image = render(stage, DropShadow(4, 4, 6, color)).image
        assert (image.bands, image.format, image.interpretation) == (4, "uchar", "srgb")
        alone = to_array(image)
        seen = alone[..., 3] > 0
        assert seen.any()
        assert (alone[seen][:, :3] == (color.red, color.green, color.blue)).all()
        assert not alone[~seen].any()

"""A gradient as a background."""

import math
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from server.backgrounds import gradient
from server.composition import BLACK, WHITE, Color, Gradient, GradientKind
from server.image.libvips import to_array
from tests.unit.server.backgrounds.conftest import MakeStage

LEVELS = st.integers(0, 255)
COLORS = st.builds(Color, LEVELS, LEVELS, LEVELS)
ANY_COLORS = st.builds(Color, LEVELS, LEVELS, LEVELS, LEVELS)
RADIAL = GradientKind.RADIAL


def channels(color: Color, count: int) -> NDArray[np.float64]:
    return np.array([color.red, color.green, color.blue, color.alpha][:count], float)


def css_way(width: int, height: int, angle: float) -> NDArray[np.float64]:
    """The way of each pixel's centre along the line of CSS Images 3, 3.1.1, which ends at the corners' pixels."""
    sine, cosine = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    length = abs((width - 1) * sine) + abs((height - 1) * cosine)
    rows, columns = np.mgrid[:height, :width]
    along = (columns - (width - 1) / 2) * sine - (rows - (height - 1) / 2) * cosine
    return np.asarray(along / max(length, 1e-9) + 0.5)


@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    background=st.builds(Gradient, start=COLORS, end=COLORS, angle=st.floats(-360, 360)),
)
@settings(max_examples=60, deadline=None)
def test_linear_is_the_line_of_css(stage_of: MakeStage, size: tuple[int, int], background: Gradient) -> None:
    pixels = to_array(gradient.render(stage_of(*size), background))
    way = css_way(*size, background.angle)[..., np.newaxis]
    start, end = channels(background.start, 3), channels(background.end, 3)
    assert np.abs(pixels - (start + (end - start) * way)).max() <= 1.02


@given(size=st.tuples(st.integers(3, 90), st.integers(3, 90)), start=ANY_COLORS, end=ANY_COLORS)
@settings(max_examples=60, deadline=None)
def test_radial_ends_in_the_corners(stage_of: MakeStage, size: tuple[int, int], start: Color, end: Color) -> None:
    width, height = size[0] | 1, size[1] | 1  # There is a pixel in the very centre.
    pixels = to_array(gradient.render(stage_of(width, height), Gradient(RADIAL, start, end))).astype(int)
    bands = pixels.shape[2]
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
    for seen, meant in ((pixels[height // 2, width // 2], start), (corners, end)):
        if meant.alpha:  # What is not seen has no colour.
            assert np.abs(seen - channels(meant, bands)).max() <= 1
        else:
            assert (seen[..., 3] <= 1).all()


@pytest.mark.parametrize(
    ("angle", "first", "last"),
    [
        (0, (-1, 0), (0, 0)),
        (180, (0, 0), (-1, 0)),
        (90, (0, 0), (0, -1)),
        (270, (0, -1), (0, 0)),
        (-90, (0, -1), (0, 0)),
        (45, (-1, 0), (0, -1)),
        (135, (0, 0), (-1, -1)),
        (10, (-1, 0), (0, -1)),
    ],
)
def test_ends_are_pure(stage_of: MakeStage, angle: float, first: tuple[int, int], last: tuple[int, int]) -> None:
    start, end = Color(12, 200, 255), Color(250, 1, 0)
    pixels = to_array(gradient.render(stage_of(301, 200), Gradient(start=start, end=end, angle=angle)))
    assert pixels[first].tolist() == [12, 200, 255]
    assert pixels[last].tolist() == [250, 1, 0]


@pytest.mark.parametrize("kind", list(GradientKind))
def test_everything_between_equal_colours_is_that_colour(stage_of: MakeStage, kind: GradientKind) -> None:
    color = Color(77, 0, 255)
    pixels = to_array(gradient.render(stage_of(300, 200), Gradient(kind, color, color, 33)))
    assert (pixels == [77, 0, 255]).all()


@pytest.mark.parametrize("angle", [0, 20, 45, 90, 180])
def test_it_runs_one_way(stage_of: MakeStage, angle: float) -> None:
    width, height = 1024, 768
    background = Gradient(start=Color(30, 30, 30), end=Color(60, 60, 60), angle=angle)
    pixels = to_array(gradient.render(stage_of(width, height), background))[..., 0].astype(float)
    # The dither is even over a tile: the means along its side turn back by less than a 64th of a level.
    down, across = pixels[:, :256].mean(axis=1), pixels[:256].mean(axis=0)
    assert (np.diff(across) >= -1 / 64).all()
    assert (np.diff(down if angle > 90 else down[::-1]) >= -1 / 64).all()
    assert np.abs(pixels - (30 + 30 * css_way(width, height, angle))).max() <= 1


def test_no_bands_are_seen(stage_of: MakeStage) -> None:
    """16 levels over 4,000 pixels: cut to whole levels, each would be a band 250 pixels wide."""
    background = Gradient(start=Color(40, 40, 40), end=Color(56, 56, 56), angle=90)
    pixels = to_array(gradient.render(stage_of(4000, 300), background))[..., 0].astype(float)
    runs = sorted(len(list(run)) for row in pixels[::37] for _, run in groupby(row))
    # A run of n pixels is right where the line is within 1/n of a whole level.
    assert runs[len(runs) * 95 // 100] <= 16
    assert runs[-1] < 100
    # What the eye sees, the mean of 16 x 16 pixels, follows the line to a fraction of a level.
    seen = pixels[:288].reshape(18, 16, 250, 16).mean(axis=(1, 3))
    line = (40 + 16 * np.arange(4000) / 3999).reshape(250, 16).mean(axis=1)
    assert np.abs(seen - line).max() < 0.1


def test_grey_stays_grey(stage_of: MakeStage) -> None:
    pixels = to_array(gradient.render(stage_of(500, 400), Gradient(angle=61)))
    assert (pixels[..., 0] == pixels[..., 1]).all()
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_transparent_end_takes_no_colour_with_it(stage_of: MakeStage) -> None:
    """From red to transparent black: in CSS it is red all the way, and only fades."""
    background = Gradient(start=Color(255, 0, 0), end=Color(0, 0, 0, 0))
    pixels = to_array(gradient.render(stage_of(64, 256), background)).astype(int)
    seen = pixels[..., 3] > 0
    assert (pixels[seen][:, :3] == [255, 0, 0]).all()
    assert np.abs(pixels[..., 3] - np.linspace(255, 0, 256)[:, np.newaxis]).max() <= 1


def test_same_every_time(stage_of: MakeStage) -> None:
    first, second = (to_array(gradient.render(stage_of(100, 80), Gradient(RADIAL, WHITE, BLACK))) for _ in range(2))
    assert np.array_equal(first, second)

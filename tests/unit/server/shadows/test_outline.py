"""The outline on its grid: where it lies, where it goes on, how it is softened and enlarged."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.image.layout import Layout
from server.image.libvips import to_array
from server.shadows.outline import grid_around, on_canvas, outline, softened
from tests.support.stages import bar, stage_with


@pytest.mark.parametrize(
    ("longest", "cell"), [(1, 1), (1024, 1), (1025, 2), (2048, 2), (2049, 4), (4096, 4), (4097, 8), (10_000, 16)]
)
def test_grid_grows_with_the_canvas_in_powers_of_two(longest: int, cell: int) -> None:
    stage = stage_with(bar((8, 8), (2, 4), (2, 4)), Layout(longest, 1))
    grid = grid_around(stage, 50)
    assert grid.cell == cell
    assert grid.columns * cell >= longest + 2 * 50
    assert grid.before[1] * cell >= 50


@pytest.mark.parametrize(("right", "down"), [(0, 0), (7, -3), (-12, 15)])
def test_outline_of_a_small_canvas_is_the_alpha(right: int, down: int) -> None:
    rng = np.random.default_rng(1)
    alpha = np.zeros((60, 80), np.uint8)
    alpha[20:40, 30:50] = rng.integers(0, 256, (20, 20), np.uint8)
    stage = stage_with(alpha)
    grid = grid_around(stage, 20)
    expected = np.zeros((grid.rows, grid.columns))
    top, left = grid.before[0] + 20 + down, grid.before[1] + 30 + right
    expected[top : top + 20, left : left + 20] = alpha[20:40, 30:50] / 255
    assert outline(stage, grid, right, down) == pytest.approx(expected, abs=1e-3)


@given(
    size=st.tuples(st.integers(20, 400), st.integers(20, 400)),
    working=st.tuples(st.integers(10, 200), st.integers(10, 200)),
    scale=st.floats(0.2, 3),
    corner=st.tuples(st.floats(1, 250), st.floats(1, 250)),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_outline_keeps_its_amount_and_its_place(
    size: tuple[int, int], working: tuple[int, int], scale: float, corner: tuple[float, float], seed: int
) -> None:
    (height, width), (left, top) = size, corner
    rng = np.random.default_rng(seed)
    rows, columns = working
    alpha = np.zeros(working, np.uint8)
    alpha[rows // 4 : rows // 4 * 3, columns // 4 : columns // 4 * 3] = rng.integers(0, 256)
    stage = stage_with(alpha, Layout(1500, 1500, scale, left, top), (height, width))
    grid = grid_around(stage, 100)
    drawn = outline(stage, grid)
    y, x = scale * height / rows, scale * width / columns
    amount = alpha.sum(dtype=float) / 255 * x * y
    # Cells are sampled: what is drawn may be off by a tenth of a cell along its edge.
    edge = 2 * (rows // 4 * 2 * y + columns // 4 * 2 * x) * alpha.max() / 255
    assert drawn.sum(dtype=float) * grid.cell**2 == pytest.approx(amount, abs=0.1 * edge * grid.cell)
    assert drawn.sum(dtype=float) * grid.cell**2 == pytest.approx(amount, rel=0.15, abs=2)
    if amount > 100:
        # `enlarged` will move it by half a pixel.
        at = (np.arange(grid.columns) + 0.5 - grid.before[1]) * grid.cell + 0.5
        middle = np.average(np.arange(columns) + 0.5, weights=alpha.sum(axis=0, dtype=float))
        assert np.average(at, weights=drawn.sum(axis=0)) == pytest.approx(left + middle * x, abs=0.25 * grid.cell)


def test_a_subject_that_the_canvas_cuts_off_goes_on() -> None:
    alpha = bar((40, 40), (0, 40), (0, 20))
    stage = stage_with(alpha)
    grid = grid_around(stage, 10)
    drawn = outline(stage, grid)
    edge = grid.before[1] + 20
    assert (drawn[:, :edge] == 1).all()
    assert not drawn[:, edge:].any()


def test_a_subject_that_the_picture_cuts_off_inside_of_the_canvas_ends_there() -> None:
    alpha = bar((40, 40), (0, 40), (0, 20))
    stage = stage_with(alpha, Layout(100, 40, 1, 30, 0), (40, 40))
    grid = grid_around(stage, 10)
    drawn = outline(stage, grid)
    left = grid.before[1] + 30
    assert (drawn[:, left : left + 20] == 1).all()
    assert not drawn[:, :left].any()
    assert not drawn[:, left + 20 :].any()


@given(
    across=st.floats(0, 150),
    down=st.floats(0, 150),
    at=st.tuples(st.integers(0, 119), st.integers(0, 159)),
)
@settings(max_examples=40, deadline=None)
def test_softening_is_a_gaussian_whatever_its_width(across: float, down: float, at: tuple[int, int]) -> None:
    values = np.zeros((120, 160), np.float32)
    values[max(0, at[0] - 30) : at[0] + 1, max(0, at[1] - 30) : at[1] + 1] = 1
    exact = cv2.GaussianBlur(values, (0, 0), max(across, 1e-6), sigmaY=max(down, 1e-6), borderType=cv2.BORDER_REPLICATE)
    assert np.abs(softened(values, across, down) - exact).max() < 0.025


@pytest.mark.parametrize("deviation", [0, 1, 5.9, 6, 17, 100, 900])
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_what_is_even_stays_so(deviation: float, level: float) -> None:
    even = np.full((77, 131), level, np.float32)
    assert softened(even, deviation, deviation / 2) == pytest.approx(even, abs=1e-4)


@pytest.mark.parametrize("deviation", [0.5, 3, 10, 40])
def test_softening_spreads_and_loses_nothing(deviation: float) -> None:
    values = np.zeros((501, 601), np.float32)
    values[240:260, 280:320] = 0.7
    soft = softened(values, deviation, deviation)
    assert soft.sum(dtype=float) == pytest.approx(values.sum(dtype=float), rel=1e-3)
    assert soft.min() >= 0


@pytest.mark.parametrize("longest", [90, 1500, 3000])
def test_enlarged_to_the_canvas_it_lies_where_it_was(longest: int) -> None:
    alpha = (np.hypot(*(np.mgrid[:90, :90] - 40.0)) < 30).astype(np.uint8) * 255
    stage = stage_with(alpha, Layout(longest, longest, longest / 90), (90, 90))
    grid = grid_around(stage, 5)
    image = on_canvas((outline(stage, grid) * 255).round().astype(np.uint8), grid, stage)
    assert (image.width, image.height, image.bands, image.format) == (longest, longest, 1, "uchar")
    drawn, exact = to_array(image)[..., 0], cv2.resize(alpha, (longest, longest), interpolation=cv2.INTER_LINEAR)
    assert np.abs(drawn.astype(int) - exact).mean() < 0.5


def test_what_lies_beside_the_canvas_is_not_on_it() -> None:
    stage = stage_with(bar((50, 50), (10, 20), (10, 20)))
    grid = grid_around(stage, 30)
    levels = np.zeros((grid.rows, grid.columns), np.uint8)
    assert not to_array(on_canvas(levels, grid, stage)).any()
    levels[:5, 40:45] = levels[-5:, -5:] = 200
    assert not to_array(on_canvas(levels, grid, stage)).any()
    assert to_array(on_canvas(levels, grid, stage, down=30)).any()

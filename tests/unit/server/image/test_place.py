"""A scene laid on its canvas: copied where nothing is resized, without fringes where something is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from server.image.box import EMPTY, Box
from server.image.layout import Layout, Plan, plan
from server.image.libvips import from_array, to_array
from server.image.place import Placed, place
from server.image.scene import Scene
from server.output import Canvas, Crop, LongestSide, Output, Placement

Bytes = NDArray[np.uint8]
RED, GREEN = (200, 30, 40), (20, 250, 60)


def scene_of(colour: Bytes, alpha: Bytes) -> Scene:
    picture, matte = from_array(colour).copy(interpretation="srgb"), from_array(alpha)
    cutout = (picture.bandjoin(matte) & (matte > 0)).copy(interpretation="srgb")
    return Scene(colour.shape[1], colour.shape[0], picture, matte, cutout)


def box_of(alpha: Bytes) -> Box:
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not rows.size:
        return EMPTY
    return Box(int(rows[0]), int(columns[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)


def laid(colour: Bytes, alpha: Bytes, output: Output) -> tuple[Placed, Bytes]:
    """Return what is placed, and its cut-out; both its images agree."""
    subject = box_of(alpha)
    placed = place(scene_of(colour, alpha), subject, plan(alpha.shape[:2], subject, output, 10**8))
    cutout = to_array(placed.scene.cutout)
    assert cutout.shape == (placed.scene.height, placed.scene.width, 4)
    assert np.array_equal(to_array(placed.scene.alpha)[..., 0], cutout[..., 3])
    seen = cutout[..., 3] > 0
    assert np.array_equal(to_array(placed.scene.colour)[seen], cutout[seen][:, :3])
    assert not cutout[~seen].any()
    assert placed.scene.colour.interpretation == placed.scene.cutout.interpretation == "srgb"
    return placed, cutout


def disc(height: int, width: int, radius: float, softness: float = 2.0) -> tuple[Bytes, Bytes]:
    """A soft red disc in a green picture, not mixed in its edge: (colour, alpha)."""
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot(rows + 0.5 - height / 2, columns + 0.5 - width / 2)
    alpha = (np.clip((radius - distance) / softness + 0.5, 0, 1) * 255).round().astype(np.uint8)
    colour = np.where(alpha[..., np.newaxis] > 0, RED, GREEN).astype(np.uint8)
    return colour, alpha


@pytest.mark.parametrize(
    ("output", "top", "left"),
    [
        (Output(), 0, 0),
        (Output(crop=Crop()), -10, -20),
        (Output(size=Canvas(100, 50)), 0, 20),
        (Output(placement=Placement(x=1, y=1)), 10, 20),
    ],
    ids=["as it is", "cropped", "on a wider canvas", "moved"],
)
def test_what_is_not_resized_is_copied(output: Output, top: int, left: int) -> None:
    colour = np.random.default_rng(1).integers(0, 256, (50, 60, 3), np.uint8)
    alpha = np.zeros((50, 60), np.uint8)
    alpha[10:40, 20:40] = np.random.default_rng(2).integers(1, 256, (30, 20), np.uint8)
    placed, cutout = laid(colour, alpha, output)
    assert placed.box == Box(10 + top, 20 + left, 20, 30)
    inside = cutout[placed.box.top : placed.box.bottom, placed.box.left : placed.box.right]
    assert np.array_equal(inside[..., :3], colour[10:40, 20:40])
    assert np.array_equal(inside[..., 3], alpha[10:40, 20:40])


@pytest.mark.parametrize("side", [7, 50, 99, 100, 130, 350])
def test_a_resized_edge_shows_no_colour_of_the_background(side: int) -> None:
    colour, alpha = disc(200, 200, 70)
    for output in (Output(size=LongestSide(side)), Output(size=Canvas(side, side)), Output(size=Canvas(2 * side, 450))):
        _, cutout = laid(colour, alpha, output)
        weight = cutout[..., 3:] / 255
        assert weight.any()
        # As far as it is seen when it is laid over anything; shrinking rounds four times.
        assert np.abs((cutout[..., :3].astype(float) - RED) * weight).max() <= 4


@pytest.mark.parametrize("scale", [0.1, 0.37, 0.5, 0.9, 1.7, 3.0])
def test_as_much_is_opaque_as_before(scale: float) -> None:
    colour, alpha = disc(300, 260, 90)
    side = round(300 * scale)
    _, cutout = laid(colour, alpha, Output(size=Canvas(round(260 * scale), side)))
    assert cutout[..., 3].sum() / (side / 300) ** 2 == pytest.approx(alpha.sum(dtype=float), rel=0.01)
    # And it lies where it lay.
    rows, columns = np.mgrid[: cutout.shape[0], : cutout.shape[1]] + 0.5
    weights = cutout[..., 3].astype(float)
    assert np.average(rows, weights=weights) == pytest.approx(cutout.shape[0] / 2, abs=0.1)
    assert np.average(columns, weights=weights) == pytest.approx(cutout.shape[1] / 2, abs=0.1)


@pytest.mark.parametrize("output", [Output(size=LongestSide(37)), Output(size=Canvas(333, 222))], ids=str)
def test_a_subject_that_fills_the_picture_fills_the_result(output: Output) -> None:
    colour = np.random.default_rng(3).integers(0, 256, (100, 150, 3), np.uint8)
    placed, cutout = laid(colour, np.full((100, 150), 255, np.uint8), output)
    assert (cutout[..., 3] == 255).all()
    assert (placed.box.width, placed.box.height) == (cutout.shape[1], cutout.shape[0])


def test_a_placed_subject_fills_its_place_exactly() -> None:
    colour, alpha = disc(300, 300, 101.5)
    placed, cutout = laid(colour, alpha, Output(size=Canvas(120, 90), placement=Placement(scale=1, x=1)))
    assert placed.box == box_of(cutout[..., 3]) == Box(0, 30, 90, 90)


def test_a_picture_without_subject_is_an_empty_canvas() -> None:
    colour, alpha = disc(30, 30, -10)
    placed, cutout = laid(colour, alpha, Output(size=Canvas(9, 7)))
    assert placed.box == EMPTY
    assert not cutout.any()


def test_a_subject_outside_of_what_is_cut_is_not_there() -> None:
    colour, alpha = disc(30, 30, 5)
    apart = Plan(Layout(4, 4), Box(0, 0, 4, 4), Box(0, 0, 4, 4))
    placed = place(scene_of(colour, alpha), box_of(alpha), apart)
    assert placed.box == EMPTY
    assert not to_array(placed.scene.cutout).any()


@given(
    picture=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    canvas=st.builds(Canvas, st.integers(1, 90), st.integers(1, 90)),
    crop=st.none() | st.just(Crop()),
    placement=st.sampled_from([Placement(), Placement(scale=0.3), Placement(x=0.2), Placement(1, 0, 1)]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=100, deadline=None)
def test_box_holds_everything(
    picture: tuple[int, int], canvas: Canvas, crop: Crop | None, placement: Placement, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    colour = rng.integers(0, 256, (*picture, 3), np.uint8)
    alpha = np.zeros(picture, np.uint8)
    top, left = rng.integers(0, picture[0]), rng.integers(0, picture[1])
    alpha[top : top + rng.integers(1, 60), left : left + rng.integers(1, 60)] = rng.integers(1, 256)
    placed, cutout = laid(colour, alpha, Output(crop=crop, size=canvas, placement=placement))
    outside = cutout.copy()
    outside[placed.box.top : placed.box.bottom, placed.box.left : placed.box.right] = 0
    assert not outside.any()

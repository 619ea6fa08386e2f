"""The straight line with every option of its result: cut, size, place, mask, and every background and shadow."""

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from server.composition import (
    Background,
    Blur,
    Color,
    Composition,
    ContactShadow,
    DropShadow,
    Generated,
    Gradient,
    NoBackground,
    Picture,
    Shadow,
)
from server.edit import EditResult
from server.errors import NoSubjectError, PixelsExceededError
from server.image.box import EMPTY, Box
from server.output import (
    Canvas,
    Crop,
    ImageFormat,
    Length,
    LongestSide,
    Output,
    OutputKind,
    Placement,
)
from tests.support.pictures import (
    FixedModel,
    FixedPainter,
    blank_png,
    blot,
    box_of,
    edited,
    edited_in_child,
    encoded,
    photo,
    restless,
)

Bytes = NDArray[np.uint8]
BACKGROUNDS: list[Background] = [
    NoBackground(),
    Color(10, 200, 30),
    Color(10, 200, 30, 90),
    Gradient(),
    Blur(),
    Picture(),
    Generated("sky", seed=1),
]
SHADOWS: list[Shadow | None] = [None, DropShadow(), ContactShadow()]
BOUND_MB = 600
TEN = Crop(*(Length(pixels=10),) * 4)


def named(value: object) -> str:
    return type(value).__name__


@pytest.mark.parametrize("shadow", SHADOWS, ids=named)
@pytest.mark.parametrize("background", BACKGROUNDS, ids=named)
@pytest.mark.parametrize(
    "output",
    [Output(), Output(crop=TEN), Output(size=Canvas(300, 120)), Output(placement=Placement(x=0, y=0.9))],
    ids=["as it is", "crop", "canvas", "placement"],
)
def test_subjects_inner_pixels_are_the_pictures_bit_for_bit(
    tmp_path: Path, background: Background, shadow: Shadow | None, output: Output
) -> None:
    picture, model = restless(), FixedModel(blot())
    answer = edited(
        tmp_path,
        encoded(picture, "PNG"),
        model,
        composition=Composition(background, shadow),
        output=output,
        painter=FixedPainter(),
        background=encoded(photo("coffee"), "JPEG") if isinstance(background, Picture) else None,
    )
    box, subject = answer.result.foreground, box_of(edited(tmp_path, encoded(picture, "PNG"), model).pixels()[..., 3])
    assert (box.width, box.height) == (subject.width, subject.height)
    inner = np.asarray(model.alpha) == 255
    rows, columns = np.nonzero(inner)
    shown = answer.pixels()[rows + box.top - subject.top, columns + box.left - subject.left]
    assert np.array_equal(shown[:, :3], np.asarray(picture)[rows, columns])
    assert (shown[:, 3] == 255).all()


@pytest.mark.parametrize("size", [(160, 120), (90, 200), (1, 1), (33, 20)], ids=str)
@pytest.mark.parametrize("kind", [OutputKind.PICTURE, OutputKind.MASK])
def test_foreground_is_the_smallest_box_of_a_picture_of_the_working_size(
    tmp_path: Path, size: tuple[int, int], kind: OutputKind
) -> None:
    picture, model = restless().resize(size), FixedModel(blot(200, 160))
    answer = edited(tmp_path, encoded(picture, "PNG"), model, output=Output(kind=kind))
    alpha = answer.pixels("L" if kind is OutputKind.MASK else "RGBA").reshape(size[1], size[0], -1)[..., -1]
    assert answer.result.foreground == box_of(alpha)
    cropped = edited(tmp_path, encoded(picture, "PNG"), model, output=Output(kind=kind, crop=Crop()))
    expected = answer.pixels()[box_of(alpha).top : box_of(alpha).bottom, box_of(alpha).left : box_of(alpha).right]
    assert np.array_equal(cropped.pixels(), expected)
    result = cropped.result
    assert result.foreground == Box(0, 0, result.width, result.height)


@pytest.mark.parametrize("size", [(1632, 1224), (641, 480), (2000, 300)], ids=str)
def test_foreground_of_a_larger_picture_is_right_within_a_working_pixel(tmp_path: Path, size: tuple[int, int]) -> None:
    answer = edited(tmp_path, encoded(photo("coffee").resize(size), "JPEG"), FixedModel(blot()))
    box, exact = answer.result.foreground, box_of(answer.pixels()[..., 3])
    assert exact.cut_to(box) == exact
    across, down = size[0] / 160 + 1, size[1] / 120 + 1
    assert exact.left - box.left <= across
    assert box.right - exact.right <= across
    assert exact.top - box.top <= down
    assert box.bottom - exact.bottom <= down


@pytest.mark.parametrize(
    "output",
    [Output(crop=TEN), Output(size=LongestSide(50)), Output(size=Canvas(70, 90)), Output(placement=Placement(0.3, 1))],
    ids=["crop", "size", "canvas", "placement"],
)
def test_mask_is_the_alpha_of_the_same_layout(tmp_path: Path, output: Output) -> None:
    data, model = encoded(restless(), "PNG"), FixedModel(blot())
    cutout = edited(tmp_path, data, model, output=output)
    mask = edited(
        tmp_path,
        data,
        model,
        output=Output(kind=OutputKind.MASK, crop=output.crop, size=output.size, placement=output.placement),
        composition=Composition(Gradient(), DropShadow()),
    )
    assert Image.open(io.BytesIO(mask.data)).mode == "L"
    assert np.array_equal(mask.pixels("L"), cutout.pixels()[..., 3])
    assert mask.result.foreground == cutout.result.foreground


@pytest.mark.parametrize("background", [Color(1, 2, 3), Gradient(), Blur()], ids=named)
def test_space_that_the_picture_does_not_have_is_background(tmp_path: Path, background: Background) -> None:
    wide = Output(ImageFormat.PNG, crop=Crop(*(Length(percent=200),) * 4))
    answer = edited(
        tmp_path, encoded(restless(), "PNG"), FixedModel(blot()), composition=Composition(background), output=wide
    )
    assert Image.open(io.BytesIO(answer.data)).mode == "RGB"
    box = answer.result.foreground
    assert (answer.result.width, answer.result.height) == (5 * box.width, 5 * box.height)


@pytest.mark.parametrize("output", [Output(crop=Crop()), Output(placement=Placement(scale=0.5))], ids=["crop", "place"])
def test_nothing_found_cannot_be_cropped_or_placed(tmp_path: Path, output: Output) -> None:
    with pytest.raises(NoSubjectError):
        edited(tmp_path, encoded(restless(), "PNG"), FixedModel(np.zeros((64, 64), np.uint8)), output=output)


@pytest.mark.parametrize("shadow", SHADOWS, ids=named)
def test_nothing_found_casts_no_shadow(tmp_path: Path, shadow: Shadow | None) -> None:
    nothing = FixedModel(np.zeros((64, 64), np.uint8))
    answer = edited(tmp_path, encoded(restless(), "PNG"), nothing, composition=Composition(NoBackground(), shadow))
    assert not answer.pixels().any()
    assert answer.result.foreground == EMPTY


def test_a_result_that_is_too_large_is_refused(tmp_path: Path) -> None:
    data, model = encoded(restless(), "PNG"), FixedModel(blot())
    assert edited(tmp_path, data, model, output=Output(size=Canvas(400, 300)), max_pixels=120_000).result.width == 400
    with pytest.raises(PixelsExceededError):
        edited(tmp_path, data, model, output=Output(size=Canvas(400, 301)), max_pixels=120_000)


@pytest.mark.case("M1")
@pytest.mark.parametrize(
    ("composition", "output", "sides"),
    [
        (Composition(NoBackground(), DropShadow(500, 500, 500)), Output(), (10_000, 10_000)),
        (Composition(Color(1, 2, 3), ContactShadow()), Output(size=Canvas(10_000, 9_000)), (10_000, 9_000)),
        (Composition(Gradient(), DropShadow()), Output(crop=Crop(), size=LongestSide(1_500)), (1_500, 1_500)),
        (Composition(), Output(size=Canvas(10_000, 10_000), placement=Placement(scale=1)), (10_000, 10_000)),
    ],
    ids=["shadow", "shrunk a little", "shrunk much", "enlarged"],
)
def test_hundred_megapixels_stay_in_bounds(
    tmp_path: Path, composition: Composition, output: Output, sides: tuple[int, int]
) -> None:
    data, model = blank_png(10_000, 10_000), FixedModel(blot(1024, 1024))
    outcome, peak_mb = edited_in_child(tmp_path, data, model, composition=composition, output=output)
    assert isinstance(outcome, EditResult)
    assert (outcome.width, outcome.height) == sides
    assert peak_mb < BOUND_MB

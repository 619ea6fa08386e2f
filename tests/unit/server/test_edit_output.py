"""The straight line with every option of its result: cut, size, place, mask, part of the picture, own alpha."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
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
from server.errors import InvalidParameterError, NoSubjectError, NoTransparencyError, PixelsExceededError
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
    Region,
    SubjectSource,
)
from tests.support.pictures import FixedModel, FixedPainter, edited, encoded, photo

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
MASK = Output(kind=OutputKind.MASK)
TEN = Crop(*(Length(pixels=10),) * 4)


def named(value: object) -> str:
    return type(value).__name__


def blot(height: int = 120, width: int = 160) -> Bytes:
    """A soft-edged subject somewhere in the middle."""
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot((rows - height * 0.45) / height, (columns - width * 0.6) / width)
    return (np.clip((0.25 - distance) * 40 + 0.5, 0, 1) * 255).round().astype(np.uint8)


def restless(height: int = 120, width: int = 160) -> Image.Image:
    return Image.fromarray(np.random.default_rng(5).integers(0, 256, (height, width, 3), np.uint8))


def box_of(alpha: Bytes) -> Box:
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    return Box(int(rows[0]), int(columns[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)


def with_alpha(picture: Image.Image, alpha: Bytes) -> bytes:
    picture = picture.convert("RGBA")
    picture.putalpha(Image.fromarray(alpha))
    return encoded(picture, "PNG")


@pytest.mark.parametrize("shadow", SHADOWS, ids=named)
@pytest.mark.parametrize("background", BACKGROUNDS, ids=named)
@pytest.mark.parametrize(
    "output", [Output(), Output(crop=TEN), Output(size=Canvas(300, 200), placement=Placement(x=0))]
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


def region(left: float, top: float, right: float, bottom: float) -> Region:
    return Region(*(Length(pixels=side) for side in (left, top, right, bottom)))


@pytest.mark.parametrize("source", list(SubjectSource))
@pytest.mark.parametrize("scale", [1, 3])
def test_outside_of_the_region_all_is_background(tmp_path: Path, source: SubjectSource, scale: int) -> None:
    height, width = 120 * scale, 160 * scale
    picture = restless(height, width)
    opaque = np.full((height, width), 255, np.uint8)
    opaque[0, 0] = 254
    data = with_alpha(picture, opaque)
    part = region(31 * scale, 20 * scale, 101 * scale, 77 * scale)
    answer = edited(tmp_path, data, FixedModel(np.full((120, 160), 255, np.uint8)), subject=source, region=part)
    expected = np.zeros((height, width), bool)
    expected[20 * scale : 77 * scale, 31 * scale : 101 * scale] = True
    pixels = answer.pixels()
    # Sharp, and what is inside is as it was.
    assert np.array_equal(pixels[..., 3], np.where(expected, 255, 0))
    assert np.array_equal(pixels[expected][:, :3], np.asarray(picture)[expected])
    assert answer.result.foreground == box_of(pixels[..., 3])
    assert (answer.result.width, answer.result.height) == (width, height)


def test_the_model_is_shown_the_region_alone(tmp_path: Path) -> None:
    picture = Image.new("RGB", (160, 120), (255, 0, 0))
    picture.paste((0, 0, 255), (40, 30, 80, 60))
    model = FixedModel(np.full((120, 160), 255, np.uint8))
    edited(tmp_path, encoded(picture, "PNG"), model, region=region(40, 30, 80, 60))
    assert (model.shown[0] == (0, 0, 255)).all()


def test_a_region_may_reach_beyond_the_picture_but_not_lie_there(tmp_path: Path) -> None:
    data, whole = encoded(restless(), "PNG"), FixedModel(np.full((64, 64), 255, np.uint8))
    assert (edited(tmp_path, data, whole, region=region(0, 0, 999, 999)).pixels()[..., 3] == 255).all()
    assert edited(tmp_path, data, whole, region=region(159, 119, 160, 120)).result.foreground == Box(119, 159, 1, 1)
    for nowhere in (region(160, 0, 170, 10), region(5, 5, 5, 9), region(9, 5, 5, 9)):
        with pytest.raises(InvalidParameterError) as refusal:
            edited(tmp_path, data, whole, region=nowhere)
        assert refusal.value.metadata == {"field": "region"}


@given(
    sides=st.tuples(st.integers(1, 70), st.integers(1, 70), st.integers(1, 70), st.integers(1, 70)),
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_region_of_any_picture(tmp_path: Path, sides: tuple[int, int, int, int], size: tuple[int, int]) -> None:
    left, top, right, bottom = sides
    data, model = encoded(restless(*size), "PNG"), FixedModel(np.full((40, 40), 255, np.uint8))
    expected = Box(top, left, right - left, bottom - top).cut_to(Box(0, 0, size[1], size[0]))
    if not expected.width:
        with pytest.raises(InvalidParameterError):
            edited(tmp_path, data, model, region=region(*sides))
        return
    answer = edited(tmp_path, data, model, region=region(*sides))
    assert answer.result.foreground == expected == box_of(answer.pixels()[..., 3])


OWN = SubjectSource.OWN_ALPHA


@pytest.mark.parametrize("size", [(160, 120), (2500, 1300)], ids=str)
def test_own_alpha_is_the_matte_bit_for_bit_and_no_model_is_asked(tmp_path: Path, size: tuple[int, int]) -> None:
    picture = restless(size[1], size[0])
    alpha = np.zeros(size[::-1], np.uint8)
    alpha[10:-20, 30:-5] = np.random.default_rng(6).integers(0, 256, (size[1] - 30, size[0] - 35), np.uint8)
    alpha[4, size[0] - 2] = 1  # so faint and small that no small copy shows it
    answer = edited(tmp_path, with_alpha(picture, alpha), subject=OWN)
    pixels = answer.pixels()
    assert np.array_equal(pixels[..., 3], alpha)
    assert np.array_equal(pixels[alpha > 0][:, :3], np.asarray(picture)[alpha > 0])
    assert not pixels[alpha == 0].any()
    assert answer.result.foreground == box_of(alpha)
    assert (answer.result.model, answer.result.device) == ("", "")
    assert [name for name, _ in answer.result.stages] == ["decode", "encode"]


def test_generation_is_a_stage_of_its_own_and_told(tmp_path: Path) -> None:
    composition = Composition(Generated("sky", seed=7))
    answer = edited(
        tmp_path, with_alpha(restless(), blot()), composition=composition, subject=OWN, painter=FixedPainter()
    )
    assert [name for name, _ in answer.result.stages] == ["decode", "generate", "encode"]
    made = answer.result.generation
    assert made is not None
    assert (made.model, made.method, made.seed) == ("painter", "procedural", 7)
    plain = edited(tmp_path, encoded(restless(), "PNG"), FixedModel(blot()))
    assert plain.result.generation is None


@pytest.mark.parametrize("form", ["RGB", "opaque RGBA", "JPEG"])
def test_a_picture_without_transparency_says_not_what_its_subject_is(tmp_path: Path, form: str) -> None:
    data = {
        "RGB": encoded(restless(), "PNG"),
        "opaque RGBA": encoded(restless().convert("RGBA"), "PNG"),
        "JPEG": encoded(restless(), "JPEG"),
    }[form]
    with pytest.raises(NoTransparencyError):
        edited(tmp_path, data, subject=OWN)


@pytest.mark.parametrize("at", [(0, 0), (119, 159), (60, 3)], ids=str)
def test_one_pixel_that_is_hardly_transparent_is_transparency(tmp_path: Path, at: tuple[int, int]) -> None:
    alpha = np.full((120, 160), 255, np.uint8)
    alpha[at] = 254
    answer = edited(tmp_path, with_alpha(restless(), alpha), subject=OWN)
    assert np.array_equal(answer.pixels()[..., 3], alpha)


def test_a_wholly_transparent_picture_has_no_subject(tmp_path: Path) -> None:
    data = with_alpha(restless(), np.zeros((120, 160), np.uint8))
    assert edited(tmp_path, data, subject=OWN).result.foreground == EMPTY
    with pytest.raises(NoSubjectError):
        edited(tmp_path, data, subject=OWN, output=Output(crop=Crop()))

"""Which pixels are subject: those that the model finds in a part of the picture, or those that the picture says."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from server.composition import (
    Color,
    Composition,
    Generated,
)
from server.edit import EditResult
from server.errors import InvalidParameterError, NoSubjectError, NoTransparencyError
from server.image.box import EMPTY, Box
from server.output import (
    Crop,
    Length,
    Output,
    Region,
    SubjectSource,
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
    restless,
    with_alpha,
    with_png_chunk,
)


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


@pytest.mark.case("M1")
def test_hundred_megapixels_with_their_own_alpha_stay_in_bounds(tmp_path: Path) -> None:
    data = with_png_chunk(blank_png(10_000, 10_000), b"tRNS", bytes(2))  # black is transparent
    outcome, peak_mb = edited_in_child(tmp_path, data, subject=OWN, composition=Composition(Color(1, 2, 3)))
    assert isinstance(outcome, EditResult)
    assert outcome.foreground == EMPTY
    assert peak_mb < 600

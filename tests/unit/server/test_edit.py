"""The straight line on honest pictures: results, formats, and pictures recorded as right."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from server.composition import Color, Composition
from server.errors import InvalidParameterError, PixelsExceededError, ProcessingFailedError
from server.image.box import Box
from server.output import Crop, ImageFormat, LongestSide, Output, OutputKind
from tests.support.pictures import PHOTOS, TESTS, FixedModel, edited, encoded, everything, photo

MAGENTA = Composition(Color(255, 0, 255))
MASK = OutputKind.MASK


def recorded_model(name: str) -> FixedModel:
    """ISNet's answer to that photo, in fp32 by ONNX Runtime, as the line shows it to the model."""
    return FixedModel(np.asarray(Image.open(TESTS / "golden" / f"{name}_alpha.png")))


def disc_model(side: int = 256) -> FixedModel:
    """A subject in the middle with a soft edge."""
    rows, columns = np.mgrid[:side, :side] - side / 2 + 0.5
    distance = np.hypot(rows, columns)
    return FixedModel((np.clip((side / 4 - distance) / 8 + 0.5, 0, 1) * 255).round().astype(np.uint8))


@pytest.mark.parametrize("name", PHOTOS)
def test_photo_is_cut_out_as_recorded(tmp_path: Path, name: str) -> None:
    answer = edited(tmp_path, encoded(photo(name), "PNG"), recorded_model(name))
    expected = np.asarray(Image.open(TESTS / "golden" / f"{name}_cutout.png")).astype(int)
    difference = np.abs(answer.pixels() - expected)
    assert difference[..., 3].mean() < 0.2
    assert difference[..., 3].max() <= 8
    seen = expected[..., 3] > 25
    assert difference[seen].mean() < 0.3
    mask = expected[..., 3] >= 128
    assert ((answer.pixels()[..., 3] >= 128) & mask).sum() / ((answer.pixels()[..., 3] >= 128) | mask).sum() > 0.999


@pytest.mark.parametrize("name", PHOTOS)
def test_photo_on_a_colour_is_its_cutout_over_it(tmp_path: Path, name: str) -> None:
    data, model = encoded(photo(name), "PNG"), recorded_model(name)
    cutout = edited(tmp_path, data, model).pixels().astype(float)
    on_magenta = edited(tmp_path, data, model, composition=MAGENTA)
    assert Image.open(io.BytesIO(on_magenta.data)).mode == "RGB"
    weight = cutout[..., 3:] / 255
    expected = cutout[..., :3] * weight + np.array([255, 0, 255]) * (1 - weight)
    assert np.abs(on_magenta.pixels("RGB") - expected).max() <= 1


def test_result_tells_what_was_done(tmp_path: Path) -> None:
    answer = edited(tmp_path, encoded(photo("coffee"), "JPEG"), disc_model())
    result = answer.result
    assert (result.content_type, result.width, result.height) == ("image/png", 600, 400)
    assert result.size == len(answer.data)
    assert (result.model, result.device) == ("fixed", "cpu/test/u8")
    assert [name for name, _ in result.stages] == ["decode", "infer", "refine", "encode"]
    assert all(seconds >= 0 for _, seconds in result.stages)


@pytest.mark.parametrize("size", [(600, 400), (100, 100), (1632, 1224)], ids=str)
def test_box_holds_the_subject_closely(tmp_path: Path, size: tuple[int, int]) -> None:
    answer = edited(tmp_path, encoded(photo("coffee").resize(size), "JPEG"), disc_model())
    alpha = answer.pixels()[..., 3]
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    box = answer.result.foreground
    assert box.top <= rows[0]
    assert box.left <= columns[0]
    assert rows[-1] < box.top + box.height <= size[1]
    assert columns[-1] < box.left + box.width <= size[0]
    # At most 4 + 2 cells of the working size, and a block, beyond it on each side.
    assert rows[0] - box.top <= 8 * max(1, size[1] / 256)
    assert columns[0] - box.left <= 8 * max(1, size[0] / 256)


def test_nothing_found_is_an_empty_box(tmp_path: Path) -> None:
    answer = edited(tmp_path, encoded(photo("coffee"), "JPEG"), FixedModel(np.zeros((64, 64), np.uint8)))
    assert answer.result.foreground == Box(0, 0, 0, 0)
    assert not answer.pixels().any()


@pytest.mark.parametrize("output", [Output(), Output(size=LongestSide(300)), Output(crop=Crop())], ids=str)
def test_the_colours_and_the_mask_are_the_cutout(tmp_path: Path, output: Output) -> None:
    data, model = encoded(photo("coffee"), "PNG"), disc_model()
    cutout = edited(tmp_path, data, model, output=output).pixels()
    colours = edited(tmp_path, data, model, composition=MAGENTA, output=replace(output, kind=OutputKind.COLOR))
    alpha = edited(tmp_path, data, model, output=replace(output, kind=MASK)).pixels()[..., 0]
    assert Image.open(io.BytesIO(colours.data)).mode == "RGB"
    seen = alpha > 0
    assert np.array_equal(colours.pixels()[seen][:, :3], cutout[seen][:, :3])
    assert np.array_equal(alpha, cutout[..., 3])


@pytest.mark.parametrize("form", list(ImageFormat))
def test_the_colours_have_every_encoding(tmp_path: Path, form: ImageFormat) -> None:
    answer = edited(tmp_path, encoded(photo("coffee"), "PNG"), disc_model(), output=Output(form, OutputKind.COLOR))
    assert (Image.open(io.BytesIO(answer.data)).format, Image.open(io.BytesIO(answer.data)).mode) == (form.name, "RGB")


@pytest.mark.parametrize("form", list(ImageFormat))
@pytest.mark.parametrize("kind", [OutputKind.PICTURE, MASK])
@pytest.mark.parametrize("composition", [Composition(), MAGENTA, Composition(Color(255, 0, 255, 128))], ids=str)
def test_every_output(tmp_path: Path, form: ImageFormat, kind: OutputKind, composition: Composition) -> None:
    data, model, output = encoded(photo("coffee"), "PNG"), disc_model(), Output(form, kind)
    if form is ImageFormat.JPEG and kind is not MASK and not composition.opaque:
        with pytest.raises(InvalidParameterError) as refusal:
            edited(tmp_path, data, model, composition=composition, output=output)
        assert refusal.value.metadata == {"field": "format"}
        return
    answer = edited(tmp_path, data, model, composition=composition, output=output)
    picture = Image.open(io.BytesIO(answer.data))
    assert picture.format == form.name
    assert answer.result.content_type == f"image/{form.value}"
    assert picture.size == (600, 400)
    corner, middle = answer.pixels()[2, 2].astype(int), answer.pixels()[200, 300].astype(int)
    if kind is MASK:
        assert picture.mode == ("RGB" if form is ImageFormat.WEBP else "L")
        assert (corner[0], middle[0]) == (0, 255)
    else:
        assert picture.mode == ("RGB" if composition.opaque else "RGBA")
        background = (0, 0, 0, 0) if composition == Composition() else (255, 0, 255, composition.background.alpha)  # type: ignore[union-attr]
        assert np.abs(corner - background).max() <= (0 if form is ImageFormat.PNG else 8)
        assert np.abs(middle[:3] - np.asarray(photo("coffee"))[200, 300]).max() <= (
            0 if form is ImageFormat.PNG else 24
        )
        assert middle[3] == 255


def test_webp_keeps_alpha_without_loss(tmp_path: Path) -> None:
    data, model = encoded(photo("astronaut"), "PNG"), recorded_model("astronaut")
    png = edited(tmp_path, data, model).pixels()
    webp = edited(tmp_path, data, model, output=Output(ImageFormat.WEBP)).pixels()
    assert np.array_equal(png[..., 3], webp[..., 3])


def test_input_transparency_is_kept(tmp_path: Path) -> None:
    picture = photo("astronaut").convert("RGBA")
    own = np.linspace(0, 255, 512).round().astype(np.uint8)[None, :].repeat(512, axis=0)
    picture.putalpha(Image.fromarray(own))
    answer = edited(tmp_path, encoded(picture, "PNG"), everything(256)).pixels()
    assert np.array_equal(answer[..., 3], own)
    assert np.array_equal(answer[own > 0][:, :3], np.asarray(picture)[own > 0][:, :3])
    assert not answer[own == 0].any()


def test_cutting_out_a_cutout_changes_little(tmp_path: Path) -> None:
    first = edited(tmp_path, encoded(photo("astronaut"), "PNG"), recorded_model("astronaut"))
    second = edited(tmp_path, first.data, recorded_model("astronaut"))
    assert np.abs(first.pixels().astype(int) - second.pixels()).mean() < 0.5


def test_most_pixels_are_a_limit_with_two_sides(tmp_path: Path) -> None:
    data = encoded(Image.new("RGB", (30, 20)), "PNG")
    assert edited(tmp_path, data, max_pixels=600).result.width == 30
    with pytest.raises(PixelsExceededError) as refusal:
        edited(tmp_path, data, max_pixels=599)
    assert refusal.value.metadata == {"pixels": "600", "max_pixels": "599"}


def test_result_that_cannot_be_written_is_not_the_pictures_fault(tmp_path: Path) -> None:
    (tmp_path / "target").symlink_to("/dev/full")
    with pytest.raises(ProcessingFailedError):
        edited(tmp_path, encoded(photo("coffee"), "PNG"))


def test_webp_of_a_large_restless_picture_is_written(tmp_path: Path) -> None:
    # libwebp's fastest settings fail on this one; at 16 megapixels no larger one is needed to see it.
    noise = np.random.default_rng(4).normal(128, 60, (4000, 4000, 3)).clip(0, 255).astype(np.uint8)
    answer = edited(tmp_path, encoded(Image.fromarray(noise), "JPEG"), output=Output(ImageFormat.WEBP))
    assert Image.open(io.BytesIO(answer.data)).size == (4000, 4000)

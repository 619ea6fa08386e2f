"""Backgrounds at the end of the straight line: with a subject on them, at every size, and recorded as right."""

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from server.composition import Background, Blur, BlurKind, Color, Composition, Fit, Gradient, GradientKind, Picture
from server.edit import EditResult
from server.errors import InvalidRequestError, PixelsExceededError
from server.output import Canvas, Crop, ImageFormat, LongestSide, Output, Placement
from tests.support.pictures import PHOTOS, TESTS, FixedModel, blank_png, edited, edited_in_child, encoded, photo

BACKGROUNDS: dict[str, Background] = {
    "color": Color(1, 200, 3),
    "gradient": Gradient(angle=30),
    "radial": Gradient(GradientKind.RADIAL, Color(255, 0, 0), Color(0, 0, 255, 0)),
    "blur": Blur(),
    "lens": Blur(30, BlurKind.LENS),
    "blur_a_little": Blur(1),
    "picture": Picture(),
    "contained": Picture(Fit.CONTAIN, Color(0, 0, 0, 0)),
}
BOUND_MB = 800


def recorded_model(name: str) -> FixedModel:
    return FixedModel(np.asarray(Image.open(TESTS / "golden" / f"{name}_alpha.png")))


def disc_model(side: int = 1024) -> FixedModel:
    """A subject in the middle with a soft edge."""
    rows, columns = np.mgrid[:side, :side] - side / 2 + 0.5
    distance = np.hypot(rows, columns)
    return FixedModel((np.clip((side / 4 - distance) / 8 + 0.5, 0, 1) * 255).round().astype(np.uint8))


def behind(kind: str = "JPEG") -> bytes:
    """A picture to lay behind: a wide one."""
    return encoded(photo("coffee").resize((900, 300)), kind)


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_inner_pixels_of_the_subject_are_untouched(tmp_path: Path, name: str) -> None:
    data, model = encoded(photo("astronaut"), "PNG"), recorded_model("astronaut")
    inside = edited(tmp_path, data, model).pixels()[..., 3] == 255
    answer = edited(tmp_path, data, model, composition=Composition(BACKGROUNDS[name]), background=behind())
    assert inside.sum() > 50_000
    assert np.array_equal(answer.pixels("RGB")[inside], np.asarray(photo("astronaut"))[inside])


@pytest.mark.parametrize("form", list(ImageFormat))
@pytest.mark.parametrize("name", BACKGROUNDS)
def test_every_background_in_every_format(tmp_path: Path, name: str, form: ImageFormat) -> None:
    composition = Composition(BACKGROUNDS[name])
    if form is ImageFormat.JPEG and not composition.opaque:
        return  # Refused: see test_edit.py.
    output, back = Output(form), behind("WEBP")
    data = encoded(photo("chelsea"), "JPEG")
    answer = edited(tmp_path, data, disc_model(), composition=composition, output=output, background=back)
    picture = Image.open(io.BytesIO(answer.data))
    assert picture.size == photo("chelsea").size
    if composition.opaque:
        assert picture.mode == "RGB"


@pytest.mark.parametrize("name", BACKGROUNDS)
@pytest.mark.parametrize(
    "output",
    [
        Output(crop=Crop()),
        Output(size=LongestSide(90)),
        Output(size=Canvas(300, 700), placement=Placement(0.5, 0, 1)),
        Output(size=Canvas(70, 20)),
    ],
    ids=["cropped", "smaller", "tall", "small and wide"],
)
def test_every_background_covers_every_canvas(tmp_path: Path, name: str, output: Output) -> None:
    composition, back = Composition(BACKGROUNDS[name]), behind("PNG")
    data = encoded(photo("coffee"), "JPEG")
    answer = edited(tmp_path, data, disc_model(256), composition=composition, output=output, background=back)
    pixels = answer.pixels()
    assert pixels.shape[:2] == (answer.result.height, answer.result.width)
    if composition.opaque:
        assert (pixels[..., 3] == 255).all()


GOLDEN: dict[str, Background] = {
    "gradient": Gradient(start=Color(250, 240, 220), end=Color(40, 90, 160), angle=160),
    "radial": Gradient(GradientKind.RADIAL, Color(255, 255, 255), Color(150, 160, 170)),
    "blur": Blur(40),
    "lens": Blur(40, BlurKind.LENS),
    "picture": Picture(),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_backgrounds_look_as_recorded(tmp_path: Path, name: str) -> None:
    """The photos side by side, small; each was looked at when it was recorded."""
    seen = np.hstack([_small(tmp_path, one, GOLDEN[name]) for one in PHOTOS]).astype(int)
    recorded = np.asarray(Image.open(TESTS / "golden" / f"background_{name}.png").convert("RGB")).astype(int)
    difference = np.abs(seen - recorded)
    assert difference.mean() < 0.5
    assert difference.max() <= 12


def _small(folder: Path, name: str, background: Background) -> NDArray[np.uint8]:
    back = encoded(photo("coffee"), "PNG")
    answer = edited(
        folder,
        encoded(photo(name), "PNG"),
        recorded_model(name),
        composition=Composition(background),
        background=back,
    )
    return np.asarray(Image.open(io.BytesIO(answer.data)).convert("RGB").resize((128, 128), Image.Resampling.BOX))


def test_most_pixels_hold_for_the_picture_behind_too(tmp_path: Path) -> None:
    data, back = encoded(Image.new("RGB", (30, 20)), "PNG"), encoded(Image.new("RGB", (31, 20)), "PNG")
    composition = Composition(Picture())
    assert edited(tmp_path, data, composition=composition, background=back, max_pixels=620).result.width == 30
    with pytest.raises(PixelsExceededError):
        edited(tmp_path, data, composition=composition, background=back, max_pixels=619)


@pytest.mark.case("M3")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_truncated_picture_behind_is_found(tmp_path: Path, kind: str) -> None:
    back = encoded(photo("coffee"), kind)
    composition = Composition(Picture())
    for length in (0, 30, len(back) // 2, len(back) * 9 // 10):
        with pytest.raises(InvalidRequestError):
            edited(
                tmp_path,
                encoded(photo("chelsea"), "JPEG"),
                disc_model(64),
                composition=composition,
                background=back[:length],
            )


@pytest.mark.case("M1")
@pytest.mark.parametrize("name", ["gradient", "lens", "blur_a_little", "picture"])
def test_hundred_megapixels_stay_in_bounds(tmp_path: Path, name: str) -> None:
    data, back = blank_png(10_000, 10_000), blank_png(10_000, 9_000)
    composition = Composition(BACKGROUNDS[name])
    outcome, peak_mb = edited_in_child(tmp_path, data, disc_model(), composition=composition, background=back)
    assert isinstance(outcome, EditResult)
    assert (outcome.width, outcome.height) == (10_000, 10_000)
    assert peak_mb < BOUND_MB

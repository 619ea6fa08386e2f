"""Another picture as a background."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from server.backgrounds import picture
from server.composition import Color, Fit, Picture
from server.errors import DimensionExceededError, InvalidImageError, ServiceError, UnsupportedFormatError
from server.image.libvips import to_array
from tests.support.pictures import blank_png, encoded
from tests.unit.server.backgrounds.conftest import MakeStage

RED, GREEN, BLUE, YELLOW, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (128, 128, 128)
FILL = Color(1, 2, 3)
SIDES = st.integers(1, 120)

Bytes = NDArray[np.uint8]


def marked(width: int, height: int) -> Bytes:
    """A grey picture with a coloured square in each corner: red, green, blue, yellow, row by row."""
    pixels = np.full((height, width, 3), GREY, np.uint8)
    side = min(width, height) // 4
    pixels[:side, :side], pixels[:side, -side:] = RED, GREEN
    pixels[-side:, :side], pixels[-side:, -side:] = BLUE, YELLOW
    return pixels


def stored(pixels: Bytes, orientation: int) -> Image.Image:
    """The picture that is `pixels` when its EXIF orientation is undone."""
    undo = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: np.rot90(pixels),
        7: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(pixels, -1),
    }
    return Image.fromarray(np.ascontiguousarray(undo[orientation]))


def oriented(pixels: Bytes, orientation: int, kind: str = "PNG", **options: Any) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(stored(pixels, orientation), kind, exif=exif, **options)


def corners(pixels: Bytes, inset: int = 2) -> list[tuple[int, ...]]:
    low, high = inset, -1 - inset
    return [tuple(int(level) for level in pixels[y, x]) for y in (low, high) for x in (low, high)]


def near(seen: Any, meant: Any, most: int = 3) -> bool:
    return bool(np.abs(np.asarray(seen, int) - np.asarray(meant, int)).max() <= most)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(800, 600), (40, 30), (200, 150)], ids=str)
def test_same_proportions_fill_the_canvas_whatever_the_fit(
    stage_of: MakeStage, orientation: int, size: tuple[int, int]
) -> None:
    data = oriented(marked(*size), orientation)
    for fit in Fit:
        image = picture.render(stage_of(200, 150), Picture(fit, FILL), data)
        assert (image.bands, image.format, image.interpretation) == (3, "uchar", "srgb")
        assert (image.width, image.height) == (200, 150)
        pixels = to_array(image)
        assert near(corners(pixels), [RED, GREEN, BLUE, YELLOW])
        assert near(pixels[75, 100], GREY)


@pytest.mark.parametrize("orientation", [1, 2, 3, 6])
@pytest.mark.parametrize("factor", [0.4, 1, 5])
def test_cover_cuts_off_what_stands_over(stage_of: MakeStage, orientation: int, factor: float) -> None:
    """A picture twice as wide as the canvas: its middle half is seen, evenly on both sides."""
    width = round(400 * factor)
    pixels = marked(width, round(200 * factor))
    pixels[:, : width // 4], pixels[:, width * 3 // 4 :] = RED, GREEN
    pixels[:, width // 4 : width // 2], pixels[:, width // 2 : width * 3 // 4] = BLUE, YELLOW
    data = oriented(pixels, orientation)
    result = to_array(picture.render(stage_of(200, 200), Picture(Fit.COVER, FILL), data))
    assert near(result[:, 4:94], BLUE)
    assert near(result[:, 106:196], YELLOW)


@pytest.mark.parametrize("orientation", [1, 2, 3, 6])
@pytest.mark.parametrize("factor", [0.4, 1, 5])
def test_contain_shows_all_and_fills_beside_it(stage_of: MakeStage, orientation: int, factor: float) -> None:
    data = oriented(marked(round(400 * factor), round(200 * factor)), orientation)
    result = to_array(picture.render(stage_of(200, 200), Picture(Fit.CONTAIN, FILL), data))
    assert (result[:50] == [1, 2, 3]).all()
    assert (result[150:] == [1, 2, 3]).all()
    assert near(corners(result[50:150]), [RED, GREEN, BLUE, YELLOW])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("factor", [3, 9, 20])
def test_shrinking_on_load_keeps_the_geometry(stage_of: MakeStage, kind: str, factor: int) -> None:
    data = encoded(Image.fromarray(marked(200 * factor, 130 * factor)), kind)
    result = to_array(picture.render(stage_of(100, 130), Picture(Fit.COVER, FILL), data))
    whole = Image.fromarray(marked(200, 130)).crop((50, 0, 150, 130))
    assert np.abs(result.astype(int) - np.asarray(whole)).mean() < 3
    contained = to_array(picture.render(stage_of(200, 200), Picture(Fit.CONTAIN, FILL), data))
    assert near(corners(contained[35:165]), [RED, GREEN, BLUE, YELLOW], 12)


def test_picture_of_the_canvas_s_size_is_copied(stage_of: MakeStage) -> None:
    noise = np.random.default_rng(4).integers(0, 256, (50, 70, 3), np.uint8)
    data = encoded(Image.fromarray(noise), "PNG")
    for fit in Fit:
        assert np.array_equal(to_array(picture.render(stage_of(70, 50), Picture(fit), data)), noise)


def test_enlarged_picture_lies_centre_on_centre(stage_of: MakeStage) -> None:
    ramp = np.linspace(20, 220, 21).round().astype(np.uint8)[np.newaxis, :, np.newaxis].repeat(21, 0).repeat(3, 2)
    data = encoded(Image.fromarray(ramp), "PNG")
    result = to_array(picture.render(stage_of(189, 189), Picture(), data)).astype(int)
    # The middle of each of the 21 columns has its colour.
    assert np.abs(result[94, 4::9, 0] - ramp[0, :, 0]).max() <= 1


@given(size=st.tuples(SIDES, SIDES), canvas=st.tuples(SIDES, SIDES), fit=st.sampled_from(Fit), turn=st.integers(1, 8))
@settings(max_examples=100, deadline=None)
def test_every_size_fits_every_canvas(
    stage_of: MakeStage, size: tuple[int, int], canvas: tuple[int, int], fit: Fit, turn: int
) -> None:
    data = oriented(np.full((size[1], size[0], 3), (9, 200, 50), np.uint8), turn)
    result = to_array(picture.render(stage_of(*canvas), Picture(fit, FILL), data))
    assert result.shape == (canvas[1], canvas[0], 3)
    shown = (result == [9, 200, 50]).all(axis=2)
    assert (shown | (result == [1, 2, 3]).all(axis=2)).all()
    if fit is Fit.COVER:
        assert shown.all()
        return
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    scale = min(canvas[0] / size[0], canvas[1] / size[1])
    for found, side, whole in ((columns, size[0], canvas[0]), (rows, size[1], canvas[1])):
        assert abs(found.size - max(1, side * scale)) <= 0.5 + 1e-9
        assert abs(found[0] - (whole - 1 - found[-1])) <= 1


def rgba(alpha: int) -> bytes:
    pixels = np.full((40, 40, 4), (200, 100, 0, alpha), np.uint8)
    pixels[:, 20:, 3] = 0
    return encoded(Image.fromarray(pixels), "PNG")


def test_opaque_fill_shines_through_transparency(stage_of: MakeStage) -> None:
    result = to_array(picture.render(stage_of(40, 40), Picture(fill=Color(0, 0, 255)), rgba(128)))
    assert result.shape[2] == 3
    assert near(result[:, :16], (100, 50, 127), 1)
    assert (result[:, 24:] == BLUE).all()


def test_transparent_fill_keeps_transparency(stage_of: MakeStage) -> None:
    image = picture.render(stage_of(80, 40), Picture(Fit.CONTAIN, Color(0, 0, 255, 0)), rgba(128))
    result = to_array(image)
    assert (image.bands, image.format, image.interpretation) == (4, "uchar", "srgb")
    assert not result[:, :20, 3].any()
    assert not result[:, 60:, 3].any()
    assert near(result[:, 22:36], (200, 100, 0, 128), 1)
    edge = result[:, 36:44]
    assert near(edge[edge[..., 3] > 20][:, :3], (200, 100, 0), 6)  # no black in the soft edge


def test_translucent_fill_lies_under_it(stage_of: MakeStage) -> None:
    result = to_array(picture.render(stage_of(80, 40), Picture(Fit.CONTAIN, Color(0, 0, 255, 128)), rgba(128)))
    assert near(result[:, 2:18], (0, 0, 255, 128), 0)
    # Porter and Duff 1984, "over", straight alpha.
    alpha = 128 + 128 * 127 / 255
    assert near(result[:, 22:36], (200 * 128 / alpha, 100 * 128 / alpha, 255 * (alpha - 128) / alpha, alpha), 2)


@pytest.mark.parametrize("fit", list(Fit))
def test_opaque_picture_that_covers_needs_no_fill(stage_of: MakeStage, fit: Fit) -> None:
    data = encoded(Image.fromarray(marked(40, 40)), "PNG")
    assert picture.render(stage_of(80, 80), Picture(fit, Color(0, 0, 0, 0)), data).bands == 3
    assert picture.render(stage_of(80, 40), Picture(fit, Color(0, 0, 0, 0)), data).bands == (
        3 if fit is Fit.COVER else 4
    )


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", UnsupportedFormatError),
        (b"GIF89a" + bytes(50), UnsupportedFormatError),
        (blank_png(10_001, 1), DimensionExceededError),
        (encoded(Image.new("RGB", (9, 9)), "PNG")[:40], InvalidImageError),
    ],
    ids=["empty", "foreign", "too large", "cut off"],
)
def test_limits_are_those_of_every_picture(stage_of: MakeStage, data: bytes, error: type[ServiceError]) -> None:
    with pytest.raises(error):
        picture.render(stage_of(10, 10), Picture(), data)


@pytest.mark.parametrize(
    ("mode", "kind"), [("L", "JPEG"), ("CMYK", "JPEG"), ("P", "PNG"), ("LA", "PNG"), ("I;16", "PNG")]
)
def test_every_kind_of_pixels_becomes_srgb(stage_of: MakeStage, mode: str, kind: str) -> None:
    grey = Image.fromarray(np.full((20, 20), 120, np.uint8))
    if mode == "I;16":
        data = encoded(Image.fromarray(np.full((20, 20), 120 * 257, np.uint16)), kind)
    else:
        data = encoded((grey if mode == "P" else grey.convert("RGB")).convert(mode), kind)
    result = to_array(picture.render(stage_of(30, 30), Picture(), data))
    assert result.shape[2] == 3
    assert near(result, GREY, 30 if mode == "CMYK" else 9)

"""Every kind of pixels becomes upright 8-bit sRGB, with the transparency that the sender gave it."""

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from server.errors import InvalidImageError
from server.image.decode import open_pixels, read_view, upright_size
from server.image.header import ImageHeader, read_header
from server.image.libvips import to_array, translated_errors
from server.output import ImageFormat
from tests.support.pictures import decoded, edited, encoded, everything, photo, with_png_chunk

RNG = np.random.default_rng(6)
NOISE = Image.fromarray(RNG.integers(0, 256, (31, 47, 4), np.uint8), "RGBA")
OPAQUE = NOISE.convert("RGB")


def full(data: bytes) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Decode at full size: colour (H, W, 3), alpha (H, W) or None."""
    pixels = open_pixels(data, read_header(data))
    if pixels.alpha is None:
        return to_array(pixels.colour), None
    both = to_array(pixels.colour.bandjoin(pixels.alpha))
    return both[..., :3], both[..., 3]


def exif_with(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.case("M6")
@pytest.mark.parametrize(
    "picture",
    [
        OPAQUE.convert("L"),
        OPAQUE.convert("1"),
        OPAQUE.convert("P"),
        OPAQUE.quantize(5),
        OPAQUE,
        NOISE.convert("LA"),
        NOISE,
    ],
    ids=["grey", "1-bit", "palette", "small palette", "rgb", "grey+alpha", "rgba"],
)
def test_every_kind_of_png(picture: Image.Image) -> None:
    data = encoded(picture, "PNG")
    colour, alpha = full(data)
    expected = decoded(data)
    assert np.array_equal(colour, expected[..., :3])
    assert (alpha is None) == (picture.mode not in {"LA", "RGBA"})
    assert alpha is None or np.array_equal(alpha, expected[..., 3])


@pytest.mark.case("M6")
@pytest.mark.parametrize(
    ("mode", "key"),
    [("P", 3), ("P", bytes(range(0, 256, 32))), ("L", 90), ("RGB", (10, 20, 30))],
    ids=["entry", "table", "grey", "colour"],
)
def test_png_transparency_by_key(mode: str, key: int | bytes | tuple[int, int, int]) -> None:
    picture = OPAQUE.copy()
    picture.paste((10, 20, 30), (5, 5, 12, 12))
    picture = picture.quantize(8) if mode == "P" else picture.convert(mode)
    data = encoded(picture, "PNG", transparency=key)
    colour, alpha = full(data)
    expected = decoded(data)
    assert alpha is not None
    assert np.array_equal(alpha, expected[..., 3])
    assert alpha.min() < 255
    assert np.array_equal(colour, expected[..., :3])


@pytest.mark.case("M6")
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_sixteen_bits_keep_their_upper_eight(bands: int) -> None:
    deep = RNG.integers(0, 65536, (9, 13, bands), np.uint16)
    image = pyvips.Image.new_from_array(deep).copy(interpretation="rgb16" if bands > 2 else "grey16")
    colour, alpha = full(image.pngsave_buffer(bitdepth=16))
    upper = (deep >> 8).astype(np.uint8)
    assert np.array_equal(colour, upper[..., :3] if bands > 2 else np.repeat(upper[..., :1], 3, axis=2))
    assert (alpha is None) == (bands % 2 == 1)
    assert alpha is None or np.array_equal(alpha, upper[..., -1])


@pytest.mark.case("M6")
@pytest.mark.parametrize("marked", [True, False], ids=["adobe segment", "no segment"])
@pytest.mark.parametrize(
    ("ink", "expected"),
    [
        ((0, 0, 0, 0), (255, 255, 255)),
        ((0, 0, 0, 255), (38, 35, 38)),
        ((0, 255, 255, 0), (234, 30, 40)),
        ((255, 0, 255, 0), (0, 152, 70)),
        ((255, 255, 0, 0), (47, 42, 133)),
    ],
    ids=["paper", "key", "red", "green", "blue"],
)
def test_cmyk_is_read_as_ink(ink: tuple[int, int, int, int], expected: tuple[int, int, int], *, marked: bool) -> None:
    # CMYK JPEGs are stored inverted; Photoshop also says so in a segment. Expected are the middle values of the
    # common coated presses (SWOP, FOGRA39).
    data = encoded(Image.new("CMYK", (16, 16), ink), "JPEG", quality=100)
    if not marked:
        start = data.index(b"\xff\xee\x00\x0eAdobe")
        data = data[:start] + data[start + 16 :]
    colour, alpha = full(data)
    assert np.abs(colour.astype(int) - expected).max() <= 15
    assert alpha is None


# Display-P3 to sRGB in linear light (both D65): the product of the two standards' matrices.
P3_TO_SRGB = np.array([[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]])


def srgb_of_p3(colour: tuple[int, int, int]) -> NDArray[np.float64]:
    level = np.array(colour) / 255
    linear = P3_TO_SRGB @ np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear, 0, 1)
    result: NDArray[np.float64] = 255 * np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    return result


@pytest.mark.case("M6")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    "colour", [(200, 120, 80), (90, 160, 110), (128, 128, 128), (40, 60, 200), (255, 0, 0)], ids=str
)
def test_display_p3_becomes_srgb(colour: tuple[int, int, int], kind: str) -> None:
    profile = pyvips.Image.black(1, 1, bands=3).copy(interpretation="srgb").icc_transform("p3").get("icc-profile-data")
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    data = encoded(Image.new("RGB", (16, 16), colour), kind, icc_profile=profile, **options)
    got, _ = full(data)
    assert np.abs(got - srgb_of_p3(colour)).max() <= 2.5
    view = read_view(data, read_header(data), (4, 4))
    assert np.abs(view.colour - srgb_of_p3(colour)).max() <= 2.5


@pytest.mark.case("M6")
def test_plain_srgb_profile_changes_nothing() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(full(encoded(OPAQUE, "PNG", icc_profile=profile))[0], np.asarray(OPAQUE))


@pytest.mark.case("M6")
@pytest.mark.parametrize(
    "profile",
    [b"junk" * 50, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()],
    ids=["broken", "of other pixels"],
)
def test_unfit_profile_is_ignored(profile: bytes) -> None:
    data = encoded(OPAQUE.convert("L"), "JPEG", icc_profile=profile, quality=100)
    assert np.abs(full(data)[0].astype(int) - decoded(data, "RGB")).max() <= 2


@pytest.mark.case("M6")
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("picture", [NOISE, OPAQUE], ids=["rgba", "rgb"])
def test_orientation_is_applied(tmp_path: Path, orientation: int, kind: str, picture: Image.Image) -> None:
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    data = encoded(picture, kind, exif=exif_with(orientation), **options)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGBA"))
    colour, alpha = full(data)
    assert np.array_equal(colour, upright[..., :3])
    assert alpha is None or np.array_equal(alpha, upright[..., 3])
    model = everything(512)
    answer = edited(tmp_path, data, model)
    assert (answer.result.height, answer.result.width) == upright.shape[:2] == answer.pixels().shape[:2]
    # The model sees it upright too.
    if picture is OPAQUE:
        seen = np.asarray(Image.fromarray(model.shown[0]).resize(upright.shape[1::-1], Image.Resampling.BOX))
        assert np.abs(seen.astype(int) - upright[..., :3]).mean() < 25


@pytest.mark.case("M6")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_a_jpeg_at_every_size(orientation: int) -> None:
    data = encoded(photo("coffee"), "JPEG", exif=exif_with(orientation), quality=95)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    header = read_header(data)
    assert upright_size(data, header) == upright.size[::-1]
    colour, _ = full(data)
    assert np.abs(colour.astype(int) - np.asarray(upright)).mean() < 1
    # 32 x 48: shrunk by 8 on load.
    view = read_view(data, header, (48, 32)).colour
    expected = np.asarray(upright.resize((32, 48), Image.Resampling.LANCZOS))
    assert np.abs(view.astype(int) - expected).mean() < 3


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1, 64), (200, 300), (400, 600), (30, 600)], ids=str)
def test_view_has_the_size_that_is_asked_for(kind: str, size: tuple[int, int]) -> None:
    data = encoded(photo("coffee"), kind)
    view = read_view(data, read_header(data), size)
    assert view.colour.shape == (*size, 3)
    assert view.alpha is None
    expected = np.asarray(photo("coffee").resize(size[::-1], Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(view.colour - expected).mean() < 6


def test_view_shows_grey_behind_what_is_transparent() -> None:
    picture = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 20, 40))
    data = encoded(picture, "PNG")
    view = read_view(data, read_header(data), (10, 10))
    assert view.alpha is not None
    assert view.colour[5, 1].tolist() == [0, 0, 255]
    assert view.colour[5, 8].tolist() == [128, 128, 128]
    assert (view.alpha[5, 1], view.alpha[5, 8]) == (255, 0)


def test_two_readings_of_one_size_are_refused() -> None:
    data = encoded(OPAQUE, "PNG")
    with pytest.raises(InvalidImageError, match="contradicts"):
        upright_size(data, ImageHeader(ImageFormat.PNG, 47, 32))


@pytest.mark.case("M2")
@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("claimed", list(ImageFormat))
def test_no_loader_but_the_named_one_is_tried(kind: str, claimed: ImageFormat) -> None:
    with pytest.raises(InvalidImageError), translated_errors():
        upright_size(encoded(OPAQUE, kind), ImageHeader(claimed, 47, 31))


def png_with_text(kind: bytes, inflated: bytes) -> bytes:
    start = {b"iCCP": b"icc\0\0", b"zTXt": b"Comment\0\0", b"iTXt": b"Comment\0\1\0en\0\0"}[kind]
    return with_png_chunk(encoded(OPAQUE, "PNG"), kind, start + zlib.compress(inflated, 9))


@pytest.mark.case("M4")
@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt", b"iTXt"])
def test_metadata_that_inflates_is_refused_beyond_the_limit(tmp_path: Path, kind: bytes) -> None:
    assert edited(tmp_path, png_with_text(kind, bytes(8_000_000))).result.width == 47
    with pytest.raises(InvalidImageError, match="inflates"):
        edited(tmp_path, png_with_text(kind, bytes(8_000_001)))


@pytest.mark.case("M4")
def test_metadata_is_summed(tmp_path: Path) -> None:
    data = png_with_text(b"zTXt", bytes(4_000_001))
    chunk = data[33 : data.index(b"IDAT") - 4]
    assert edited(tmp_path, data).result.width == 47
    with pytest.raises(InvalidImageError, match="inflates"):
        edited(tmp_path, data[:33] + chunk + data[33:])


def test_broken_metadata_is_not_a_broken_picture(tmp_path: Path) -> None:
    data = with_png_chunk(encoded(OPAQUE, "PNG"), b"zTXt", b"Comment\0\0not deflated")
    assert np.array_equal(edited(tmp_path, data).pixels("RGB"), np.asarray(OPAQUE))

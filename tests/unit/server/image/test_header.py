"""Format and size from the first bytes, whatever the sender made of them."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from server.errors import DimensionExceededError, InvalidImageError, InvalidRequestError, UnsupportedFormatError
from server.image.header import MAX_SIDE, ImageHeader, read_header
from server.output import ImageFormat
from tests.support.pictures import blank_png, encoded, with_png_chunk

PICTURE = Image.fromarray(np.random.default_rng(1).integers(0, 256, (37, 53, 3), np.uint8))
JPEG = encoded(PICTURE, "JPEG")
VALID = {
    "png": encoded(PICTURE, "PNG"),
    "jpeg": JPEG,
    "progressive": encoded(PICTURE, "JPEG", progressive=True),
    "lossy webp": encoded(PICTURE, "WEBP"),
    "lossless webp": encoded(PICTURE, "WEBP", lossless=True),
    "extended webp": encoded(PICTURE.convert("RGBA"), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"),
}


def jpeg_segment(code: int, body: bytes) -> bytes:
    return bytes([0xFF, code]) + (len(body) + 2).to_bytes(2, "big") + body


def in_jpeg(extra: bytes) -> bytes:
    """Put bytes behind the first segment, JFIF's."""
    return JPEG[:20] + extra + JPEG[20:]


@pytest.mark.parametrize("name", VALID)
def test_size_and_format_are_read(name: str) -> None:
    header = read_header(memoryview(VALID[name]))
    assert (header.width, header.height) == (53, 37)
    assert header.format.value == {"png": "png", "jpeg": "jpeg", "progressive": "jpeg"}.get(name, "webp")


@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    kind=st.sampled_from(["PNG", "JPEG", "WEBP"]),
    mode=st.sampled_from(["L", "RGB", "RGBA", "P", "1", "LA"]),
)
@settings(max_examples=60, deadline=None)
def test_agrees_with_another_reader(width: int, height: int, kind: str, mode: str) -> None:
    picture = Image.new(mode, (width, height))
    data = encoded(picture if kind == "PNG" else picture.convert("RGB"), kind)
    header = read_header(data)
    assert (header.format, header.width, header.height) == (ImageFormat[kind], width, height)


@pytest.mark.parametrize(
    "data",
    [
        in_jpeg(b"\xff" * 60),
        in_jpeg(b"\xff\x01" + b"\xff\xd0"),
        in_jpeg(b"stray bytes"),
        in_jpeg(b"".join(jpeg_segment(0xE1, b"Exif\0\0" + bytes(65_000)) for _ in range(200))),
        in_jpeg(b"".join(jpeg_segment(0xFE, b"note") for _ in range(1_900))),
        # A thumbnail inside EXIF has a frame header of its own.
        in_jpeg(jpeg_segment(0xE1, b"Exif\0\0" + encoded(Image.new("RGB", (8, 8)), "JPEG"))),
    ],
    ids=["fill bytes", "standalone markers", "stray bytes", "13 MB of EXIF", "many segments", "thumbnail"],
)
def test_unusual_but_valid_jpeg(data: bytes) -> None:
    assert (read_header(data).width, read_header(data).height) == (53, 37)


@pytest.mark.parametrize(
    "data",
    [
        in_jpeg(b"x" * 70_000),
        in_jpeg(b"".join(jpeg_segment(0xFE, b"") for _ in range(3_000))),
        b"".join([VALID["png"][:33], bytes(12) * 3_000, VALID["png"][33:]]),
        JPEG[:2] + b"\xff\xe1\x00\x01",
        JPEG[:2] + b"\xff\xd9",
        JPEG[:2] + jpeg_segment(0xC0, b"\x08\0\x25\0\x35\x03"),
        VALID["png"][:33],
        VALID["png"][:20],
        VALID["png"][:8] + b"\0\0\0\x0dIDAT" + VALID["png"][16:],
        VALID["lossy webp"][:22],
        VALID["lossy webp"][:12] + b"ALPH" + VALID["lossy webp"][16:],
    ],
)
def test_damaged_header_is_invalid(data: bytes) -> None:
    with pytest.raises(InvalidImageError):
        read_header(data)


@pytest.mark.case("M1")
@pytest.mark.parametrize(("width", "height"), [(MAX_SIDE, 1), (1, MAX_SIDE)])
def test_longest_side_passes(width: int, height: int) -> None:
    assert read_header(blank_png(width, height)) == ImageHeader(ImageFormat.PNG, width, height)


@pytest.mark.case("M1")
@pytest.mark.parametrize(("width", "height"), [(MAX_SIDE + 1, 1), (1, MAX_SIDE + 1)])
def test_longer_side_is_refused(width: int, height: int) -> None:
    with pytest.raises(DimensionExceededError) as refusal:
        read_header(blank_png(width, height))
    assert refusal.value.metadata == {"width": str(width), "height": str(height), "max_side": "10000"}


def test_no_pixels_are_refused() -> None:
    with pytest.raises(InvalidImageError):
        read_header(blank_png(0, 7))


@pytest.mark.case("M2")
@pytest.mark.parametrize(
    "data",
    [
        encoded(PICTURE, "GIF"),
        encoded(PICTURE, "ICO"),
        encoded(PICTURE, "BMP"),
        encoded(PICTURE, "TIFF"),
        encoded(PICTURE, "PDF"),
        encoded(PICTURE, "JPEG2000"),
        encoded(PICTURE, "PPM"),
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        b"RIFF\0\0\0\0AVI ",
        b"\0\0\0\x20ftypavif",
        b"",
        b"\xff\xd8",
    ],
    ids=["gif", "ico", "bmp", "tiff", "pdf", "jp2", "ppm", "svg", "avi", "avif", "empty", "two bytes"],
)
def test_other_formats_are_refused_by_content(data: bytes) -> None:
    with pytest.raises(UnsupportedFormatError):
        read_header(data)


@given(
    name=st.sampled_from(sorted(VALID)),
    changes=st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), max_size=8),
    length=st.integers(0, 200),
)
@settings(max_examples=400, deadline=None)
@example(name="jpeg", changes=[], length=3)
def test_any_bytes_are_read_or_refused(name: str, changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(VALID[name])
    for position, value in changes:
        data[position] = value
    try:
        header = read_header(bytes(data[:length]))
    except InvalidRequestError:
        return
    assert min(header.width, header.height) >= 1
    assert max(header.width, header.height) <= MAX_SIDE


def test_what_a_decoder_must_hold_is_known() -> None:
    assert read_header(JPEG).held_bytes_per_pixel == 0
    assert read_header(encoded(PICTURE, "JPEG", progressive=True, subsampling=0)).held_bytes_per_pixel == 6
    assert read_header(encoded(PICTURE, "JPEG", progressive=True, subsampling=2)).held_bytes_per_pixel == 3
    assert read_header(VALID["lossy webp"]).held_bytes_per_pixel == 8
    interlaced = bytearray(encoded(PICTURE.convert("RGBA"), "PNG"))
    interlaced[28] = 1
    assert read_header(bytes(interlaced)).held_bytes_per_pixel == 4


def test_what_may_turn_is_known() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ("PNG", "JPEG", "WEBP"):
        assert not read_header(encoded(PICTURE, kind)).may_turn
        assert read_header(encoded(PICTURE, kind, exif=exif)).may_turn
    assert read_header(with_png_chunk(VALID["png"], b"eXIf", b"II*\0")).may_turn

"""The straight line on hostile bytes: refused with a clear error, or bounded; nothing foreign gets out."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from server.composition import Color, Composition
from server.edit import EditResult
from server.errors import DimensionExceededError, InvalidImageError, InvalidRequestError, UnsupportedFormatError
from server.image.libvips import translated_errors
from server.output import ImageFormat, Output
from tests.support.pictures import (
    animated_png,
    animated_webp,
    blank_png,
    edited,
    edited_in_child,
    encoded,
    photo,
    png_chunks,
    with_png_chunk,
)

BOUND_MB = 600
PHOTO = photo("coffee")
ENCODINGS = {
    "png": encoded(PHOTO, "PNG"),
    "png rgba": encoded(PHOTO.convert("RGBA"), "PNG"),
    "png palette": encoded(PHOTO.quantize(200), "PNG"),
    "jpeg": encoded(PHOTO, "JPEG"),
    "jpeg progressive": encoded(PHOTO, "JPEG", progressive=True),
    "jpeg grey": encoded(PHOTO.convert("L"), "JPEG"),
    "jpeg cmyk": encoded(PHOTO.convert("CMYK"), "JPEG"),
    "webp": encoded(PHOTO, "WEBP"),
    "webp lossless": encoded(PHOTO, "WEBP", lossless=True),
    "webp alpha": encoded(PHOTO.convert("RGBA").rotate(30), "WEBP"),
}


@pytest.mark.case("M1")
def test_tiny_file_of_a_hundred_megapixels_stays_in_bounds(tmp_path: Path) -> None:
    data = blank_png(10_000, 10_000)
    assert len(data) < 13_000
    outcome, peak_mb = edited_in_child(tmp_path, data)
    assert isinstance(outcome, EditResult)
    assert (outcome.width, outcome.height) == (10_000, 10_000)
    assert peak_mb < BOUND_MB


@pytest.mark.case("M1")
def test_one_pixel_more_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DimensionExceededError):
        edited(tmp_path, blank_png(10_001, 1))


@pytest.mark.case("M2")
@pytest.mark.parametrize("kind", ["GIF", "ICO", "BMP", "TIFF", "PDF", "JPEG2000"])
def test_other_formats_are_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UnsupportedFormatError):
        edited(tmp_path, encoded(PHOTO, kind))


@pytest.mark.case("M2")
def test_empty_file_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError):
        edited(tmp_path, b"")


@pytest.mark.case("M3")
@pytest.mark.parametrize("name", ENCODINGS)
def test_truncated_at_every_twentieth(tmp_path: Path, name: str) -> None:
    data = ENCODINGS[name]
    for twentieth in range(1, 20):
        with pytest.raises(InvalidImageError):
            edited(tmp_path, data[: len(data) * twentieth // 20])


@pytest.mark.case("M3")
@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("missing", [300, 60, 20])
def test_truncated_in_the_last_stripe(tmp_path: Path, name: str, missing: int) -> None:
    with pytest.raises(InvalidImageError):
        edited(tmp_path, ENCODINGS[name][:-missing])


@pytest.mark.case("M3")
@pytest.mark.parametrize("form", [ImageFormat.PNG, ImageFormat.WEBP, ImageFormat.JPEG])
def test_truncation_is_found_whatever_is_written(tmp_path: Path, form: ImageFormat) -> None:
    with pytest.raises(InvalidImageError):
        edited(
            tmp_path,
            ENCODINGS["jpeg"][:-500],
            composition=Composition(Color(1, 2, 3)),
            output=Output(form),
        )


@pytest.mark.case("M4")
def test_bombs_of_metadata_stay_in_bounds(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(200_000_000), 9)
    data = encoded(PHOTO, "PNG")
    for kind, start in ((b"zTXt", b"Comment\0\0"), (b"iCCP", b"icc\0\0"), (b"iTXt", b"Comment\0\1\0\0\0")):
        outcome, peak_mb = edited_in_child(tmp_path, with_png_chunk(data, kind, start + bomb))
        assert isinstance(outcome, InvalidImageError)
        assert peak_mb < BOUND_MB


@pytest.mark.case("M5")
@pytest.mark.parametrize("animated", [animated_webp, animated_png], ids=["webp", "apng"])
def test_first_of_ten_thousand_frames_is_taken(tmp_path: Path, animated: Callable[[Image.Image, int], bytes]) -> None:
    first = PHOTO.resize((400, 300))
    data = animated(first, 10_000)
    assert Image.open(io.BytesIO(data)).n_frames == 10_000  # type: ignore[attr-defined]
    outcome, peak_mb = edited_in_child(tmp_path, data)
    assert isinstance(outcome, EditResult)
    # All frames decoded would be 3.6 GB.
    assert peak_mb < BOUND_MB
    result = np.asarray(Image.open(tmp_path / "target").convert("RGB")).astype(int)
    assert np.abs(result - np.asarray(first)).max() <= 1


PAYLOAD = b"PK\x03\x04 <script>alert('foreign')</script> "


@pytest.mark.case("M7")
@pytest.mark.parametrize("form", list(ImageFormat))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_foreign_bytes_do_not_get_out(tmp_path: Path, kind: str, form: ImageFormat) -> None:
    data = encoded(PHOTO, kind) + PAYLOAD * 50
    if kind == "JPEG":
        data = data[:2] + b"\xff\xfe" + struct.pack(">H", len(PAYLOAD) + 2) + PAYLOAD + data[2:]
    if kind == "PNG":
        data = with_png_chunk(data, b"prVt", PAYLOAD)
    answer = edited(tmp_path, data, composition=Composition(Color(9, 9, 9)), output=Output(form))
    assert b"foreign" not in answer.data
    assert b"PK\x03\x04" not in answer.data
    assert np.abs(answer.pixels("RGB").astype(int) - np.asarray(PHOTO)).mean() < 6


def telling(kind: str) -> bytes:
    """A picture that tells who took it, where, and with what."""
    exif = Image.Exif()
    exif[0x010F], exif[0x013B] = "SECRETMAKER", "SECRETARTIST"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.0)
    exif.get_ifd(0x8825)[29] = "SECRETGPS"
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">SECRETXMP</x:xmpmeta>'
    options: dict[str, object] = {"exif": exif, "xmp": xmp}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", "SECRETTEXT")
        text.add_itxt("XML:com.adobe.xmp", xmp.decode())
        options = {"exif": exif, "pnginfo": text}
    if kind == "JPEG":
        options["comment"] = b"SECRETCOMMENT"
    return encoded(PHOTO, kind, **options)


@pytest.mark.case("M8")
@pytest.mark.parametrize("form", list(ImageFormat))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_metadata_does_not_get_out(tmp_path: Path, kind: str, form: ImageFormat) -> None:
    data = telling(kind)
    assert data.count(b"SECRET") >= 3
    answer = edited(tmp_path, data, composition=Composition(Color(9, 9, 9)), output=Output(form))
    assert b"SECRET" not in answer.data
    picture = Image.open(io.BytesIO(answer.data))
    assert not picture.getexif()
    assert not {"exif", "xmp", "icc_profile", "comment", "XML:com.adobe.xmp"} & picture.info.keys()
    if form is ImageFormat.PNG:
        assert {name for name, _ in png_chunks(answer.data)} <= {b"IHDR", b"pHYs", b"IDAT", b"IEND"}


@pytest.mark.case("M11")
@given(
    name=st.sampled_from(sorted(ENCODINGS)),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6),
    early=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutations_are_edited_or_refused(
    tmp_path: Path, name: str, changes: list[tuple[float, int]], *, early: bool
) -> None:
    data = bytearray(ENCODINGS[name])
    reach = min(400, len(data)) if early else len(data)
    for place, value in changes:
        data[int(place * (reach - 1))] = value
    try:
        answer = edited(tmp_path, bytes(data), max_pixels=4_000_000)
    except InvalidRequestError:
        return
    assert answer.pixels().shape == (answer.result.height, answer.result.width, 4)


def test_other_faults_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), translated_errors():
        1 // 0  # noqa: B018

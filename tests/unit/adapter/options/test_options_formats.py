"""Which encoding the caller gets."""

import pytest
from clearcanvas.v1 import images_pb2
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import InvalidFieldsError
from adapter.options.fields import Fields
from adapter.options.formats import negotiate, read_output

PNG = images_pb2.IMAGE_FORMAT_PNG
WEBP = images_pb2.IMAGE_FORMAT_WEBP
JPEG = images_pb2.IMAGE_FORMAT_JPEG
PICTURE = images_pb2.OUTPUT_KIND_PICTURE
MASK = images_pb2.OUTPUT_KIND_MASK


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", PNG),
        ("*/*", PNG),
        ("image/*", PNG),
        ("image/webp", WEBP),
        ("IMAGE/WEBP", WEBP),
        ("image/png, image/webp", PNG),
        ("image/webp, image/png;q=0.9", WEBP),
        ("image/avif,image/webp,image/apng,image/*,*/*;q=0.8", PNG),
        ("image/avif,image/webp,*/*;q=0.8", WEBP),
        ("image/png;q=0, */*", WEBP),
        ("image/png; q=0.2, image/webp; q=0.1", PNG),
        ("image/jpeg", JPEG),
        ("image/jpeg, image/webp;q=0.5", JPEG),
        ("application/json", PNG),
        ("image/png;q=0", PNG),
        ("image/webp;q=high", PNG),
        ("image/webp;q=2", PNG),
        (";;,,q=1,/", PNG),
    ],
)
def test_accept(accept: str, expected: int) -> None:
    assert negotiate(accept, jpeg_possible=True) == expected


@pytest.mark.parametrize(("accept", "expected"), [("image/jpeg", PNG), ("image/jpeg, image/webp;q=0.5", WEBP)])
def test_accept_never_gives_a_jpeg_where_there_is_transparency(accept: str, expected: int) -> None:
    assert negotiate(accept, jpeg_possible=False) == expected


@given(st.text(max_size=60))
def test_any_accept_header_has_an_answer(accept: str) -> None:
    assert negotiate(accept, jpeg_possible=True) in {PNG, WEBP, JPEG}


@pytest.mark.parametrize(("name", "expected"), [("png", PNG), ("WebP", WEBP), ("jpg", JPEG), ("jpeg", JPEG)])
def test_the_field_wins_over_the_header(name: str, expected: int) -> None:
    output = read_output(Fields({"format": name}), "image/webp", opaque=True)
    assert (output.format, output.kind) == (expected, PICTURE)


@pytest.mark.parametrize(
    ("values", "opaque", "wrong"),
    [
        ({"format": "jpg"}, True, set()),
        ({"format": "jpg"}, False, {"format"}),
        ({"format": "jpg", "output": "mask"}, False, set()),
        ({"format": "tiff"}, True, {"format"}),
        ({"output": "alpha"}, True, {"output"}),
    ],
)
def test_impossible_outputs_are_named(values: dict[str, str], opaque: bool, wrong: set[str]) -> None:  # noqa: FBT001
    fields = Fields(values)
    read_output(fields, "", opaque=opaque)
    if wrong:
        with pytest.raises(InvalidFieldsError) as caught:
            fields.check()
        assert set(caught.value.fields) == wrong
    else:
        fields.check()


def test_a_mask_may_be_a_jpeg_by_the_header_too() -> None:
    output = read_output(Fields({"output": "mask"}), "image/jpeg", opaque=False)
    assert (output.format, output.kind) == (JPEG, MASK)

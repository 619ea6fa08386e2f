"""How a result is cut, sized and placed: the grammar, and both sides of each bound."""

import pytest
from clearcanvas.v1.images_pb2 import Canvas, Crop, Length, Margins, OutputOptions, Placement
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import InvalidFieldsError
from adapter.options.fields import Fields
from adapter.options.geometry import parse_margins, parse_position, parse_scale, parse_size, read_geometry

TEN, FIVE, ONE, TWO = Length(pixels=10), Length(percent=5), Length(pixels=1), Length(percent=2.5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10", (TEN, TEN, TEN, TEN)),
        ("10px", (TEN, TEN, TEN, TEN)),
        ("5%", (FIVE, FIVE, FIVE, FIVE)),
        ("10px 5%", (TEN, FIVE, TEN, FIVE)),
        ("10 5% 1PX  2.5%", (TEN, FIVE, ONE, TWO)),
    ],
)
def test_margins_as_css_writes_them(text: str, expected: tuple[Length, ...]) -> None:
    margins = parse_margins(text)
    assert (margins.top, margins.right, margins.bottom, margins.left) == expected


@pytest.mark.parametrize("text", ["0", "0%", "10000", "10000px", "500%"])
def test_margins_at_their_bounds(text: str) -> None:
    parse_margins(text)


@pytest.mark.parametrize(
    "text", ["-1", "10001", "10000.1px", "500.1%", "501%", "1 2 3", "1 2 3 4 5", "", "px", "10em", "ten", "nan", "1,2"]
)
def test_what_are_no_margins(text: str) -> None:
    with pytest.raises(ValueError, match="must be 1, 2 or 4 lengths, in px or % of the subject's box; at most"):
        parse_margins(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("1024", 1024),
        ("10000", 10_000),
        ("800x600", Canvas(width=800, height=600)),
        ("800X600", Canvas(width=800, height=600)),
        ("800 × 600", Canvas(width=800, height=600)),
        ("1x10000", Canvas(width=1, height=10_000)),
    ],
)
def test_sizes(text: str, expected: int | Canvas) -> None:
    assert parse_size(text) == expected


@pytest.mark.parametrize(
    "text", ["0", "10001", "0x1", "1x0", "10001x1", "1x10001", "1x", "x1", "1x1x1", "-5", "1.5", "50%", "preview", ""]
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be the longer side in pixels, or WIDTHxHEIGHT, each 1 to 10000$"):
        parse_size(text)


@pytest.mark.parametrize(("text", "expected"), [("10%", 0.1), ("33.5%", 0.335), ("100%", 1), ("Original", None)])
def test_scales(text: str, expected: float | None) -> None:
    assert parse_scale(text) == expected


@pytest.mark.parametrize("text", ["9.9%", "100.1%", "50", "0.5", "-50%", "%", "auto"])
def test_what_is_no_scale(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be 10% to 100%, or original$"):
        parse_scale(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("center", (0.5, 0.5)),
        ("CENTER", (0.5, 0.5)),
        ("original", "original"),
        ("0%", (0, 0)),
        ("100%", (1, 1)),
        ("30%  70%", (0.3, 0.7)),
    ],
)
def test_positions(text: str, expected: object) -> None:
    assert parse_position(text) == expected


@pytest.mark.parametrize("text", ["100.1%", "101% 0%", "-1%", "50", "1% 2% 3%", "left", "50% left", "%"])
def test_what_is_no_position(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be center, original, or one or two of 0% to 100%"):
        parse_position(text)


@given(st.text(max_size=20))
@pytest.mark.parametrize("parse", [parse_margins, parse_size, parse_scale, parse_position])
def test_any_text_is_read_or_plainly_refused(parse: object, text: str) -> None:
    try:
        parse(text)  # type: ignore[operator]
    except ValueError as error:
        assert str(error).startswith("must be")  # noqa: PT017 - both outcomes are right.


def read(**values: str) -> OutputOptions:
    output, fields = OutputOptions(), Fields(values)
    read_geometry(fields, output)
    fields.check()
    return output


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, OutputOptions()),
        ({"crop": "false", "crop_margin": "10%"}, OutputOptions()),
        ({"crop": "true"}, OutputOptions(crop=Crop())),
        (
            {"crop": "True", "crop_margin": "5%"},
            OutputOptions(crop=Crop(margin=Margins(top=FIVE, right=FIVE, bottom=FIVE, left=FIVE))),
        ),
        ({"size": "640"}, OutputOptions(longest_side=640)),
        ({"size": "640x480"}, OutputOptions(canvas=Canvas(width=640, height=480))),
        ({"scale": "80%"}, OutputOptions(placement=Placement(scale=0.8))),
        ({"position": "25%"}, OutputOptions(placement=Placement(x=0.25, y=0.25))),
        ({"scale": "80%", "position": "center"}, OutputOptions(placement=Placement(scale=0.8, x=0.5, y=0.5))),
        ({"scale": "original", "position": "original"}, OutputOptions()),
    ],
)
def test_fields_become_output_options(values: dict[str, str], expected: OutputOptions) -> None:
    assert read(**values) == expected


def test_a_subject_of_another_size_has_no_original_place() -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        read(scale="80%", position="original")
    assert caught.value.fields.keys() == {"position"}

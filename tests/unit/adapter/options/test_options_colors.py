"""The colour grammar: every spelling of a colour is that colour, and nothing else is one."""

import pytest
import webcolors
from clearcanvas.v1.composition_pb2 import Color
from hypothesis import given
from hypothesis import strategies as st

from adapter.options.colors import WHITE, parse_color

CHANNEL = st.integers(0, 255)
SPACE = st.sampled_from(["", " ", "  ", "\t"])


def color(red: int, green: int, blue: int, alpha: int = 255) -> Color:
    return Color(red=red, green=green, blue=blue, alpha=alpha)


@given(st.lists(CHANNEL, min_size=3, max_size=4), st.booleans(), SPACE)
def test_channels_in_every_spelling(channels: list[int], parentheses: bool, space: str) -> None:  # noqa: FBT001
    text = f"{space},{space}".join(map(str, channels))
    text = f"({space}{text}{space})" if parentheses else text
    assert parse_color(f"{space}{text}{space}") == color(*channels)


@given(st.lists(CHANNEL, min_size=3, max_size=4), st.booleans())
def test_long_hexadecimal(channels: list[int], upper: bool) -> None:  # noqa: FBT001
    text = "#" + bytes(channels).hex()
    assert parse_color(text.upper() if upper else text) == color(*channels)


@given(st.lists(st.integers(0, 15), min_size=3, max_size=4))
def test_short_hexadecimal_doubles_its_digits(digits: list[int]) -> None:
    text = "#" + "".join(f"{digit:x}" for digit in digits)
    assert parse_color(text) == color(*(digit * 17 for digit in digits))


@pytest.mark.parametrize("name", webcolors.names("css3"))
def test_every_css_name(name: str) -> None:
    expected = color(*webcolors.name_to_rgb(name))
    assert parse_color(name) == expected
    assert parse_color(f" {name.upper()} ") == expected


def test_well_known_colors() -> None:
    assert parse_color("rebeccapurple") == color(0x66, 0x33, 0x99)
    assert parse_color("transparent") == color(0, 0, 0, 0)
    assert parse_color("white") == WHITE


@pytest.mark.parametrize(
    "text",
    [
        "256,0,0",
        "0,0,999",
        "-1,0,0",
        "1,2",
        "1,2,3,4,5",
        "1.5,2,3",
        "(1,2,3",
        "1,2,3)",
        "((1,2,3))",
        "()",
        ",,",
        "1,,3",
        "0001,2,3",
        "+1,2,3",
        "1_0,2,3",
        "\u0661,2,3",
        "#12",
        "#12345",
        "#1234567",
        "#ggg",
        "ffffff",
        "#fff#fff",
        "reddish",
        "currentcolor",
        "",
    ],
)
def test_what_is_no_color(text: str) -> None:
    with pytest.raises(ValueError, match="must be r,g,b"):
        parse_color(text)


@given(st.text(max_size=40))
def test_any_text_is_a_color_or_a_plain_refusal(text: str) -> None:
    try:
        parsed = parse_color(text)
    except ValueError as error:
        assert str(error).startswith("must be")  # noqa: PT017 - both outcomes are right.
    else:
        assert max(parsed.red, parsed.green, parsed.blue, parsed.alpha) <= 255

import pytest
import typer

from cli.cut import parse_color


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#fff", (255, 255, 255, 255)),
        ("#1a2B3c", (26, 43, 60, 255)),
        ("#00000000", (0, 0, 0, 0)),
        ("Tomato", (255, 99, 71, 255)),
    ],
)
def test_a_colour_is_read(text: str, expected: tuple[int, int, int, int]) -> None:
    color = parse_color(text)
    assert (color.red, color.green, color.blue, color.alpha) == expected
    assert color.HasField("alpha")


@pytest.mark.parametrize(
    "text", ["whitish", "fff", "#", "#ff", "#ffff", "#fffff", "#ggg", "#12 34 56", "##fff", "#1234567890"]
)
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="#rrggbb"):
        parse_color(text)

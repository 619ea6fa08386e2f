"""One colour as a background."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.backgrounds import color
from server.composition import Color
from server.image.libvips import to_array
from tests.unit.server.backgrounds.conftest import MakeStage

LEVELS = st.integers(0, 255)


@pytest.mark.parametrize(
    ("background", "expected"),
    [(Color(1, 2, 3), [1, 2, 3]), (Color(255, 0, 9, 254), [255, 0, 9, 254]), (Color(7, 7, 7, 0), [7, 7, 7, 0])],
    ids=["opaque", "translucent", "transparent"],
)
def test_colour_fills_the_canvas(stage_of: MakeStage, background: Color, expected: list[int]) -> None:
    image = color.render(stage_of(9, 5), background)
    assert (image.format, image.interpretation) == ("uchar", "srgb")
    assert np.array_equal(to_array(image), np.broadcast_to(np.array(expected, np.uint8), (5, 9, len(expected))))


@given(background=st.builds(Color, LEVELS, LEVELS, LEVELS, LEVELS))
@settings(max_examples=50, deadline=None)
def test_every_colour_is_exact(stage_of: MakeStage, background: Color) -> None:
    expected = [background.red, background.green, background.blue, background.alpha]
    pixels = to_array(color.render(stage_of(3, 2), background))
    assert (pixels == expected[: pixels.shape[2]]).all()
    assert (pixels.shape[2] == 3) == (background.alpha == 255)

"""One colour as a background."""

import numpy as np
import pytest

from server.backgrounds import color
from server.composition import Color
from server.image.decode import Pixels, View
from server.image.libvips import from_array, to_array
from server.image.refine import refine
from server.image.scene import build_scene


@pytest.mark.parametrize(
    ("background", "expected"),
    [(Color(1, 2, 3), [1, 2, 3]), (Color(255, 0, 9, 254), [255, 0, 9, 254]), (Color(7, 7, 7, 0), [7, 7, 7, 0])],
    ids=["opaque", "translucent", "transparent"],
)
def test_colour_fills_the_scene(background: Color, expected: list[int]) -> None:
    picture = np.zeros((5, 9, 3), np.uint8)
    colour = from_array(picture).copy(interpretation="srgb")
    scene = build_scene(Pixels(colour, None), refine(View(picture, None), np.zeros((5, 9), np.uint8)))
    image = color.render(scene, background)
    assert (image.format, image.interpretation) == ("uchar", "srgb")
    assert np.array_equal(to_array(image), np.broadcast_to(np.array(expected, np.uint8), (5, 9, len(expected))))

"""The estimate that admission relies on."""

from itertools import pairwise

import pytest

from server.image.cost import estimated_cost
from server.image.header import MAX_SIDE, ImageHeader
from server.output import ImageFormat

MIB = 1 << 20


def header(side: int, *, held: float = 0, may_turn: bool = False) -> ImageHeader:
    return ImageHeader(ImageFormat.JPEG, side, side, held, may_turn)


def test_cost_grows_with_what_must_be_held() -> None:
    costs = [
        estimated_cost(header(1000), ImageFormat.PNG),
        estimated_cost(header(2000), ImageFormat.PNG),
        estimated_cost(header(2000, held=3), ImageFormat.PNG),
        estimated_cost(header(2000, held=3, may_turn=True), ImageFormat.PNG),
        estimated_cost(header(2000, held=3, may_turn=True), ImageFormat.WEBP),
    ]
    assert all(less < more for less, more in pairwise(costs))


@pytest.mark.case("M1")
def test_largest_picture_in_strips_is_cheap() -> None:
    # Most of it is the room for a result that cannot be compressed.
    assert estimated_cost(header(MAX_SIDE), ImageFormat.PNG) < 500 * MIB
    assert estimated_cost(header(1), ImageFormat.PNG) < 64 * MIB

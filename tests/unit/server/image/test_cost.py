"""The estimate that admission relies on."""

from itertools import pairwise

import pytest

from server.composition import Blur, Color, Composition, Picture
from server.image.cost import estimated_cost
from server.image.header import MAX_SIDE, ImageHeader
from server.output import Canvas, Crop, FitPixels, ImageFormat, Length, LongestSide, Output, Placement, Size

MIB = 1 << 20
PLAIN, WHERE_IT_IS = Composition(), Placement()


def header(side: int, *, held: float = 0, may_turn: bool = False) -> ImageHeader:
    return ImageHeader(ImageFormat.JPEG, side, side, held, may_turn)


def cost(
    picture: ImageHeader,
    form: ImageFormat = ImageFormat.PNG,
    *,
    size: Size | None = None,
    crop: Crop | None = None,
    placement: Placement = WHERE_IT_IS,
    composition: Composition = PLAIN,
    behind: ImageHeader | None = None,
    max_pixels: int = MAX_SIDE**2,
) -> int:
    output = Output(form, size=size, crop=crop, placement=placement)
    return estimated_cost(picture, output, composition, max_pixels=max_pixels, behind=behind)


def test_cost_grows_with_what_must_be_held() -> None:
    costs = [
        cost(header(1000)),
        cost(header(2000)),
        cost(header(2000, held=3)),
        cost(header(2000, held=3, may_turn=True)),
        cost(header(2000, held=3, may_turn=True), ImageFormat.WEBP),
    ]
    assert all(less < more for less, more in pairwise(costs))


@pytest.mark.case("M1")
def test_largest_picture_in_strips_is_cheap() -> None:
    # Most of it is the room for a result that cannot be compressed.
    assert cost(header(MAX_SIDE)) < 500 * MIB
    assert cost(header(1)) < 64 * MIB


def test_small_picture_on_a_large_canvas_costs_what_the_canvas_does() -> None:
    large = cost(header(100), size=Canvas(10_000, 10_000))
    assert large > cost(header(10_000)) * 0.8
    assert cost(header(10_000), size=Canvas(100, 100)) < large - 200 * MIB


def test_resizing_takes_wider_strips() -> None:
    plain = cost(header(4000), max_pixels=1_000_000)
    assert cost(header(4000), size=Canvas(1000, 1000)) > plain + 48 * MIB
    assert cost(header(4000), placement=Placement(scale=0.5), max_pixels=1_000_000) > plain + 48 * MIB


def test_smaller_result_costs_less() -> None:
    picture = header(10_000)
    for size in (LongestSide(500), FitPixels(250_000)):
        assert cost(picture, ImageFormat.WEBP, size=size) < cost(picture, ImageFormat.WEBP) / 10
    assert cost(picture, ImageFormat.WEBP, max_pixels=1_000_000) < cost(picture, ImageFormat.WEBP) / 10


def test_margins_count_as_if_the_subject_filled_the_picture() -> None:
    around = Length(percent=100)
    crop = Crop(around, around, around, around)
    assert cost(header(1000), crop=crop) > cost(header(1000)) + 8 * 4 * 1000 * 1000
    assert cost(header(1000), crop=Crop()) == cost(header(1000))


def test_second_picture_is_paid_for() -> None:
    behind = Composition(Picture())
    plain = cost(header(1000), composition=behind, behind=header(1))
    assert cost(header(1000), composition=behind, behind=header(5000, held=8)) > plain + 8 * 5000 * 5000
    assert cost(header(1000), composition=behind, behind=header(5000, may_turn=True)) > plain + 4 * 5000 * 5000


def test_blur_is_paid_for() -> None:
    assert cost(header(100), composition=Composition(Blur())) > cost(
        header(100), composition=Composition(Color(1, 2, 3))
    )

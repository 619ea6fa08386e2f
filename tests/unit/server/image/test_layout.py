"""Where a picture lies on its result: every option alone, all of them together, and what always holds."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.errors import DimensionExceededError, InvalidRequestError, NoSubjectError, PixelsExceededError
from server.image.box import EMPTY, Box
from server.image.layout import Layout, Plan, plan
from server.output import Canvas, Crop, FitPixels, Length, LongestSide, Output, Placement, Size

PICTURE = 400, 600  # height, width
SUBJECT = Box(100, 200, 150, 50)
EDGE = 100_000_000


def planned(output: Output, subject: Box = SUBJECT, most: int = EDGE) -> Plan:
    return plan(PICTURE, subject, output, most)


def px(length: float) -> Length:
    return Length(pixels=length)


def percent(length: float) -> Length:
    return Length(percent=length)


def test_without_options_the_canvas_is_the_picture() -> None:
    whole = Box(0, 0, 600, 400)
    assert planned(Output()) == Plan(Layout(600, 400), whole, whole)
    assert planned(Output(), EMPTY) == planned(Output())


def test_crop_is_the_subjects_box() -> None:
    assert planned(Output(crop=Crop())) == Plan(Layout(150, 50, 1, -200, -100), SUBJECT, Box(0, 0, 150, 50))


@pytest.mark.parametrize(
    ("crop", "cut"),
    [
        (Crop(top=px(10)), Box(90, 200, 150, 60)),
        (Crop(right=px(10)), Box(100, 200, 160, 50)),
        (Crop(bottom=px(10)), Box(100, 200, 150, 60)),
        (Crop(left=px(10)), Box(100, 190, 160, 50)),
        (Crop(top=percent(10), bottom=percent(20)), Box(95, 200, 150, 65)),
        (Crop(left=percent(10), right=percent(20)), Box(100, 185, 195, 50)),
        (Crop(left=px(0.4), right=px(0.5)), Box(100, 200, 151, 50)),
    ],
    ids=["top", "right", "bottom", "left", "percent of the height", "percent of the width", "whole pixels"],
)
def test_margins_are_left_around_it(crop: Crop, cut: Box) -> None:
    answer = planned(Output(crop=crop))
    assert (answer.cut, answer.place) == (cut, Box(0, 0, cut.width, cut.height))


def test_margins_may_reach_beyond_the_picture() -> None:
    answer = planned(Output(crop=Crop(px(300), px(300), px(300), px(300))))
    assert answer == Plan(Layout(750, 650, 1, 100, 200), Box(-200, -100, 750, 650), Box(0, 0, 750, 650))


@pytest.mark.parametrize(
    ("size", "canvas"),
    [
        (LongestSide(601), (600, 400)),
        (LongestSide(600), (600, 400)),
        (LongestSide(300), (300, 200)),
        (LongestSide(1), (1, 1)),
        (FitPixels(240_001), (600, 400)),
        (FitPixels(240_000), (600, 400)),
        (FitPixels(239_999), (599, 399)),
        (FitPixels(60_000), (300, 200)),
        (FitPixels(1), (1, 1)),
        (Canvas(1200, 400), (1200, 400)),
        (Canvas(1, 10_000), (1, 10_000)),
    ],
    ids=str,
)
def test_size(size: Size, canvas: tuple[int, int]) -> None:
    answer = planned(Output(size=size))
    assert (answer.layout.width, answer.layout.height) == canvas


@pytest.mark.parametrize(
    ("canvas", "place", "scale"),
    [
        (Canvas(600, 400), Box(0, 0, 600, 400), 1),
        (Canvas(1200, 400), Box(0, 300, 600, 400), 1),
        (Canvas(601, 400), Box(0, 0, 600, 400), 1),
        (Canvas(300, 300), Box(50, 0, 300, 200), 0.5),
        (Canvas(1200, 1200), Box(200, 0, 1200, 800), 2),
        (Canvas(3, 400), Box(199, 0, 3, 2), 0.005),
    ],
    ids=str,
)
def test_a_canvas_holds_the_whole_picture_in_its_middle(canvas: Canvas, place: Box, scale: float) -> None:
    answer = planned(Output(size=canvas))
    assert (answer.place, answer.layout.scale) == (place, scale)
    assert answer.cut == Box(0, 0, 600, 400)


@pytest.mark.parametrize(
    ("placement", "place"),
    [
        (Placement(x=0), Box(100, 0, 150, 50)),
        (Placement(x=1), Box(100, 450, 150, 50)),
        (Placement(y=0), Box(0, 200, 150, 50)),
        (Placement(y=1), Box(350, 200, 150, 50)),
        (Placement(x=0.5, y=0.5), Box(175, 225, 150, 50)),
        (Placement(scale=1), Box(100, 0, 600, 200)),
        (Placement(scale=0.5), Box(150, 150, 300, 100)),
        (Placement(scale=0.5, x=0), Box(150, 0, 300, 100)),
        (Placement(scale=0.5, x=1, y=1), Box(300, 300, 300, 100)),
        (Placement(scale=0.25), Box(175, 225, 150, 50)),
    ],
    ids=str,
)
def test_placement(placement: Placement, place: Box) -> None:
    answer = planned(Output(placement=placement))
    assert (answer.cut, answer.place) == (SUBJECT, place)
    assert answer.layout.scale == place.width / 150
    assert (answer.layout.width, answer.layout.height) == (600, 400)


def test_share_is_of_the_side_that_is_taken_more() -> None:
    tall = plan((400, 600), Box(0, 0, 100, 200), Output(placement=Placement(scale=0.5)), EDGE)
    assert tall.place == Box(100, 250, 100, 200)


def test_all_options_together() -> None:
    output = Output(crop=Crop(*(percent(100),) * 4), size=Canvas(900, 900), placement=Placement(0.5, 0, 1))
    answer = planned(output)
    assert (answer.layout.width, answer.layout.height) == (900, 900)
    assert (answer.cut, answer.place) == (SUBJECT, Box(750, 0, 450, 150))
    small = planned(Output(crop=Crop(*(px(25),) * 4), size=LongestSide(100), placement=Placement(x=0)))
    assert (small.layout.width, small.layout.height) == (100, 50)
    assert small.place == Box(13, 0, 75, 25)


@pytest.mark.parametrize("output", [Output(crop=Crop()), Output(placement=Placement(x=0.5))], ids=["crop", "place"])
def test_without_a_subject_there_is_nothing_to_crop_to_or_to_place(output: Output) -> None:
    with pytest.raises(NoSubjectError):
        planned(output, EMPTY)


def test_most_pixels_bound_the_result_on_both_sides() -> None:
    wide = Output(crop=Crop(left=px(50)))
    assert planned(wide, most=10_000).layout.width == 200
    with pytest.raises(PixelsExceededError) as refusal:
        planned(wide, most=9_999)
    assert refusal.value.metadata == {"pixels": "10000", "max_pixels": "9999"}


def test_longest_side_bounds_the_result_on_both_sides() -> None:
    assert planned(Output(crop=Crop(left=px(9_850)))).layout.width == 10_000
    with pytest.raises(DimensionExceededError) as refusal:
        planned(Output(crop=Crop(left=px(9_851))))
    assert refusal.value.metadata == {"width": "10001", "height": "50", "max_side": "10000"}


sides = st.integers(1, 10_000)
shares = st.floats(0, 1)
margins = st.one_of(st.builds(px, st.floats(0, 10_000)), st.builds(percent, st.floats(0, 500)))
outputs = st.builds(
    Output,
    crop=st.none() | st.builds(Crop, margins, margins, margins, margins),
    size=st.none()
    | st.builds(LongestSide, sides)
    | st.builds(FitPixels, st.integers(1, 10**8))
    | st.builds(Canvas, sides, sides),
    placement=st.builds(
        Placement, st.none() | st.floats(0, 1, exclude_min=True), st.none() | shares, st.none() | shares
    ),
)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[tuple[int, int], Box]:
    height, width = draw(sides), draw(sides)
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    return (height, width), Box(top, left, draw(st.integers(1, width - left)), draw(st.integers(1, height - top)))


@example(
    picture=((3, 16), Box(0, 0, 1, 1)), output=Output(size=LongestSide(13))
)  # The shorter side is rounded by much.
@given(picture=pictures(), output=outputs)
def test_what_always_holds(picture: tuple[tuple[int, int], Box], output: Output) -> None:
    (height, width), subject = picture
    try:
        answer = plan((height, width), subject, output, EDGE)
    except (DimensionExceededError, PixelsExceededError):
        assert output.crop is not None
        return
    layout, cut, place = answer.layout, answer.cut, answer.place
    # The result has pixels, and no more than allowed.
    assert 1 <= layout.width <= 10_000
    assert 1 <= layout.height <= 10_000
    seen = (width, height) if output.crop is None else None
    match output.size:
        case Canvas():
            assert (layout.width, layout.height) == (output.size.width, output.size.height)
        case LongestSide(pixels):
            assert max(layout.width, layout.height) <= pixels
        case FitPixels(pixels):
            assert layout.width * layout.height <= pixels
        case None:
            assert seen is None or (layout.width, layout.height) == seen
    # All of the subject is laid, inside of the canvas, and is at least a pixel.
    assert subject.cut_to(cut) == subject
    assert min(place.width, place.height) >= 1
    assert place.cut_to(Box(0, 0, layout.width, layout.height)) == place
    # Both kinds of coordinates agree to a pixel, but where a side of less than one pixel was made one.
    if min(place.width, place.height) > 1:
        for at, length, start, to, size in (
            (cut.left, cut.width, layout.left, place.left, place.width),
            (cut.top, cut.height, layout.top, place.top, place.height),
        ):
            assert abs(start + layout.scale * at - to) <= 1
            assert abs(layout.scale * length - size) <= 1


@given(picture=pictures(), x=shares, y=shares)
def test_nothing_is_resampled_unless_asked_for(picture: tuple[tuple[int, int], Box], x: float, y: float) -> None:
    size, subject = picture
    for output in (Output(crop=Crop()), Output(placement=Placement(x=x, y=y)), Output(size=LongestSide(10_000))):
        try:
            answer = plan(size, subject, output, EDGE)
        except InvalidRequestError:
            raise AssertionError from None
        assert answer.layout.scale == 1
        assert (answer.cut.width, answer.cut.height) == (answer.place.width, answer.place.height)
        assert answer.layout.left == answer.place.left - answer.cut.left
        assert answer.layout.top == answer.place.top - answer.cut.top

"""The picture's own background, out of focus."""

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from server.backgrounds import blur
from server.composition import Blur, BlurKind
from server.image.layout import Layout
from server.image.libvips import to_array
from server.image.light import to_light
from tests.unit.server.backgrounds.conftest import MakeStage

GAUSSIAN, LENS = BlurKind.GAUSSIAN, BlurKind.LENS
KINDS = pytest.mark.parametrize("kind", list(BlurKind))
LEVELS = st.integers(0, 255)
BLURS = st.builds(Blur, st.integers(1, 100), st.sampled_from(BlurKind))
MAGENTA = (255, 0, 255)

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


def with_subject(view: Bytes) -> tuple[Bytes, Bytes]:
    """The view with a magenta disc in it that has a soft edge, and the disc's alpha."""
    height, width = view.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot((rows - height / 2) / height, (columns - width / 2) / width)
    alpha = np.clip((0.25 - distance) * 50 + 0.5, 0, 1)
    mixed = view * (1 - alpha[..., np.newaxis]) + np.array(MAGENTA) * alpha[..., np.newaxis]
    return mixed.round().astype(np.uint8), (alpha * 255).round().astype(np.uint8)


def dot(width: int, height: int, level: int = 255) -> Bytes:
    """A view that is black but for a bright spot of 3 x 3 in its middle."""
    view = np.zeros((height, width, 3), np.uint8)
    view[height // 2 - 1 : height // 2 + 2, width // 2 - 1 : width // 2 + 2] = level
    return view


def spread(pixels: Bytes) -> tuple[float, float]:
    """The deviation of light across and down, in pixels."""
    light = to_light(pixels)[..., 1].astype(float)
    across, down = light.sum(axis=0), light.sum(axis=1)
    return tuple(  # type: ignore[return-value]
        float(
            np.sqrt(
                np.average((np.arange(line.size) - np.average(np.arange(line.size), weights=line)) ** 2, weights=line)
            )
        )
        for line in (across, down)
    )


@given(
    color=st.tuples(LEVELS, LEVELS, LEVELS),
    background=BLURS,
    view=st.tuples(st.integers(1, 120), st.integers(1, 120)),
    factor=st.integers(1, 7),
)
@settings(max_examples=80, deadline=None)
def test_blur_of_a_constant_is_that_constant(
    stage_of: MakeStage, color: tuple[int, int, int], background: Blur, view: tuple[int, int], factor: int
) -> None:
    constant = np.full((*view, 3), color, np.uint8)
    stage = stage_of(view[1] * factor, view[0] * factor, view=constant)
    image = blur.render(stage, background)
    assert (image.bands, image.format, image.interpretation) == (3, "uchar", "srgb")
    assert (image.width, image.height) == (stage.width, stage.height)
    assert (to_array(image) == color).all()


@given(grey=LEVELS, background=BLURS)
@settings(max_examples=40, deadline=None)
def test_subject_is_taken_out_first(stage_of: MakeStage, grey: int, background: Blur) -> None:
    view, alpha = with_subject(np.full((90, 120, 3), grey, np.uint8))
    pixels = to_array(blur.render(stage_of(480, 360, view=view, alpha=alpha), background))
    assert (pixels == grey).all()


@KINDS
@pytest.mark.parametrize("radius", [1, 5, 20, 100])
def test_no_halo_of_the_subject_glows(stage_of: MakeStage, kind: BlurKind, radius: int) -> None:
    grey = np.random.default_rng(1).integers(0, 256, (256, 256, 1), np.uint8).repeat(3, axis=2)
    view, alpha = with_subject(grey)
    pixels = to_array(blur.render(stage_of(512, 512, view=view, alpha=alpha), Blur(radius, kind))).astype(int)
    assert np.abs(pixels[..., 0] - pixels[..., 1]).max() <= 1
    assert np.abs(pixels[..., 2] - pixels[..., 1]).max() <= 1


@KINDS
@pytest.mark.parametrize("radius", [8, 20, 50])
@pytest.mark.parametrize("size", [(1024, 1024), (2048, 512), (700, 1024)], ids=str)
def test_light_spreads_as_far_as_the_radius_says(
    stage_of: MakeStage, kind: BlurKind, radius: int, size: tuple[int, int]
) -> None:
    """Half the radius is the deviation of a gaussian, and of a disc of that radius. The view may be squashed."""
    width, height = size
    view = np.zeros((512, 512, 3), np.uint8)
    view[254:258, 254:258] = 120  # no highlight
    pixels = to_array(blur.render(stage_of(width, height, view=view), Blur(radius, kind)))
    own = 4 / 512 / np.sqrt(12)  # what the spot itself has, of a side
    for side, seen in zip(size, spread(pixels), strict=True):
        meant = np.hypot(radius / 2 * max(size) / 1024, own * side)
        assert seen == pytest.approx(meant, rel=0.12)


def test_lens_makes_discs(stage_of: MakeStage) -> None:
    pixels = to_array(blur.render(stage_of(1024, 1024, view=dot(1024, 1024)), Blur(40, LENS)))[..., 1].astype(int)
    rows, columns = np.mgrid[:1024, :1024] - 512
    distance = np.hypot(rows, columns)
    inside, outside = pixels[distance < 36], pixels[distance > 50]
    assert inside.min() > 0.8 * inside.max() > 20
    assert not outside.any()


def test_highlights_outshine_what_8_bits_say(stage_of: MakeStage) -> None:
    bright, dim = (
        to_array(blur.render(stage_of(512, 512, view=dot(512, 512, level)), Blur(20, LENS))) for level in (255, 120)
    )
    light, less = to_light(bright)[256, 256, 1], to_light(dim)[256, 256, 1]
    assert (
        light / less
        > 3 * to_light(np.full((1, 1, 1), 255, np.uint8)).item() / to_light(np.full((1, 1, 1), 120, np.uint8)).item()
    )


@KINDS
def test_radius_grows_with_the_picture(stage_of: MakeStage, kind: BlurKind) -> None:
    view = cv2.resize(np.random.default_rng(2).integers(0, 256, (8, 8, 3), np.uint8), (256, 256))
    small = to_array(blur.render(stage_of(300, 300, view=np.asarray(view)), Blur(30, kind)))
    large = to_array(blur.render(stage_of(900, 900, view=np.asarray(view)), Blur(30, kind)))
    again = large.reshape(300, 3, 300, 3, 3).mean(axis=(1, 3))
    assert np.abs(again - small).max() <= 3


@KINDS
@pytest.mark.parametrize("size", [(4000, 3000), (10_000, 10_000)], ids=str)
def test_small_radius_shows_no_blocks(stage_of: MakeStage, kind: BlurKind, size: tuple[int, int]) -> None:
    """An edge of the view, 4 or 10 pixels of the picture wide a pixel, becomes a slope without steps."""
    view = np.zeros((1024, 1024, 3), np.uint8)
    view[:, 512:] = 200
    image = blur.render(stage_of(*size, view=view), Blur(1, kind))
    line = to_array(image.crop(size[0] // 2 - 60, size[1] // 2, 120, 1))[0, :, 0].astype(int)
    steps = np.diff(line)
    assert line[0] <= 1
    assert line[-1] >= 199
    # The steepest step is not larger than on a slope as wide as two pixels of the view. A cubic curve may overshoot.
    assert steps.max() <= 1.6 * 200 / (2 * size[0] / 1024)
    assert steps.min() >= -4
    assert np.abs(np.diff(steps)).max() <= steps.max() / 2 + 2


@KINDS
def test_work_does_not_grow_with_the_radius(
    stage_of: MakeStage, kind: BlurKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is filtered, in pixels times the reach of the filter: most where the grid is the view's, then less."""
    work: list[float] = []
    gaussian: Any = cv2.GaussianBlur
    lens: Any = cv2.filter2D

    def counted_gaussian(light: Floats, size: tuple[int, int], deviation: float, **rest: int) -> Any:
        work.append(light.shape[0] * light.shape[1] * deviation)
        return gaussian(light, size, deviation, **rest)

    def counted_lens(light: Floats, depth: int, disc: Floats, **rest: int) -> Any:
        work.append(light.shape[0] * light.shape[1] * disc.shape[0])
        return lens(light, depth, disc, **rest)

    monkeypatch.setattr("server.backgrounds.blur.cv2.GaussianBlur", counted_gaussian)
    monkeypatch.setattr("server.backgrounds.blur.cv2.filter2D", counted_lens)
    view = np.zeros((1024, 1024, 3), np.uint8)
    for radius in (16, 20, 30, 50, 75, 100):
        blur.render(stage_of(4000, 3000, view=view), Blur(radius, kind))
    assert len(work) == 6
    assert max(work) == work[0]
    assert work[-1] < work[0] / 10


@pytest.mark.parametrize("left", [0, -30, -170])
def test_cropped_picture_is_a_part_of_the_whole_one(stage_of: MakeStage, left: int) -> None:
    view = np.random.default_rng(3).integers(0, 256, (16, 24, 3), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    whole = to_array(blur.render(stage_of(768, 512, view=view), Blur(20))).astype(int)
    layout = Layout(300, 200, 1.0, left, -100)
    part = to_array(blur.render(stage_of(768, 512, view=view, layout=layout), Blur(20))).astype(int)
    assert np.abs(part - whole[100:300, -left : 300 - left]).max() <= 3


@pytest.mark.parametrize(
    "layout",
    [Layout(400, 400, 0.2, 120, 100), Layout(400, 100, 0.5, 200, 0), Layout(200, 400, 2, -900, -500)],
    ids=["smaller", "wider", "beside"],
)
def test_whole_canvas_is_covered(stage_of: MakeStage, layout: Layout) -> None:
    """Where the picture does not reach, it is enlarged to cover, centred: red left, blue right, no border between."""
    view = np.zeros((128, 256, 3), np.uint8)
    view[:, :128, 0], view[:, 128:, 2] = 200, 200
    pixels = to_array(blur.render(stage_of(512, 256, view=view, layout=layout), Blur(2))).astype(int)
    assert pixels.shape[:2] == (layout.height, layout.width)
    third = layout.width // 3
    assert (np.abs(pixels[:, :third] - [200, 0, 0]).max(axis=(0, 1)) <= 2).all()
    assert (np.abs(pixels[:, -third:] - [0, 0, 200]).max(axis=(0, 1)) <= 2).all()


@KINDS
def test_what_is_transparent_takes_the_colours_around_it(stage_of: MakeStage, kind: BlurKind) -> None:
    view = np.full((100, 100, 3), 128, np.uint8)
    own = np.zeros((100, 100), np.uint8)
    view[:, :50], own[:, :50] = (10, 90, 200), 255
    pixels = to_array(blur.render(stage_of(200, 200, view=view, own_alpha=own), Blur(20, kind)))
    assert (pixels == [10, 90, 200]).all()


def test_cut_out_picture_is_blurred_as_a_whole(stage_of: MakeStage) -> None:
    """Nothing but its subject is seen."""
    view, alpha = with_subject(np.full((64, 64, 3), 128, np.uint8))
    pixels = to_array(blur.render(stage_of(128, 128, view=view, alpha=alpha, own_alpha=alpha), Blur(50))).astype(int)
    assert np.abs(pixels - MAGENTA).max() <= 20


@pytest.mark.parametrize("seen", [0, 255])
def test_nothing_but_subject_or_nothing_at_all_is_blurred_too(stage_of: MakeStage, seen: int) -> None:
    view = np.full((30, 40, 3), 77, np.uint8)
    everywhere = np.full((30, 40), 255, np.uint8)
    own = np.full((30, 40), seen, np.uint8)
    pixels = to_array(blur.render(stage_of(80, 60, view=view, alpha=everywhere, own_alpha=own), Blur()))
    assert (pixels == 77).all()


def test_no_bands_are_seen(stage_of: MakeStage) -> None:
    """Ten levels over 4,000 pixels: the mean of 32 x 32 pixels follows them to a fraction of a level."""
    view = np.linspace(40, 50, 1024).round().astype(np.uint8)[np.newaxis, :, np.newaxis].repeat(256, 0).repeat(3, 2)
    pixels = to_array(blur.render(stage_of(4000, 1000, view=view), Blur(100)))[..., 0]
    seen = pixels[:992].reshape(31, 32, 125, 32).mean(axis=(1, 3))
    middle = seen[:, 15:-15]
    line = np.linspace(40, 50, 4000).reshape(125, 32).mean(axis=1)[15:-15]
    assert np.abs(middle - line).max() < 0.35

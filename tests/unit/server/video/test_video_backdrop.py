"""What is behind a video's subject looks as it does behind a picture's, although it is drawn smaller."""

import numpy as np
import pytest
from numpy.typing import NDArray

from server.compose import cast, draw
from server.composition import Blur, BlurKind, Color, Composition, ContactShadow, DropShadow
from server.generation import GenerationModel
from server.image.decode import View
from server.image.layout import Layout
from server.image.libvips import configure, to_array
from server.image.stage import Stage
from server.video.backdrop import Backdrop
from server.video.frame import Frame
from server.video.planes import from_rgb, to_pixels
from tests.support.clip_scenes import disc, moving

SIZE = 720, 1280
WHITE = Color(255, 255, 255)


def nobody(_name: str | None) -> GenerationModel:
    raise AssertionError


@pytest.fixture(scope="module")
def filmed() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    configure()
    scene = moving(frames=1, size=SIZE)
    assert scene.truth is not None
    return scene.frames[0], scene.truth[0]


@pytest.mark.parametrize(
    "composition",
    [
        Composition(Blur(20)),
        Composition(Blur(80)),
        Composition(Blur(4)),
        Composition(Blur(30, BlurKind.LENS)),
        Composition(WHITE, DropShadow()),
        Composition(WHITE, DropShadow(offset_x=-60, offset_y=21, blur_radius=40)),
        Composition(WHITE, ContactShadow()),
    ],
)
def test_what_is_drawn_for_each_frame_looks_as_behind_a_picture(
    filmed: tuple[NDArray[np.uint8], NDArray[np.uint8]], composition: Composition
) -> None:
    picture, alpha = filmed
    frame = Frame(0, 0.0, *from_rgb(picture).colours)
    behind = Backdrop(composition, frame, alpha, nobody, None).behind(frame, alpha)
    assert behind is not None
    stage = Stage(Layout(SIZE[1], SIZE[0]), SIZE, View(picture, None), alpha)
    drawn = draw(stage, composition.background)
    shadow = cast(stage, composition.shadow)
    assert drawn is not None
    expected = to_array(drawn if shadow is None else shadow.strength.ifthenelse(shadow.levels, drawn, blend=True))
    difference = np.abs(to_pixels(behind).astype(int) - expected)
    assert difference.mean() < 1.5
    assert np.percentile(difference, 99) <= 8


def test_what_is_the_same_behind_all_frames_is_drawn_once() -> None:
    frame, alpha = Frame(0, 0.0, *from_rgb(np.zeros((48, 64, 3), np.uint8)).colours), disc((48, 64))
    backdrop = Backdrop(Composition(Color(1, 2, 3)), frame, alpha, nobody, None)
    assert backdrop.behind(frame, alpha) is backdrop.behind(frame, alpha)

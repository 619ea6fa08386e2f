"""A generated background: what the model is asked for, and where its answer lies on the canvas."""

import numpy as np
import pytest
from numpy.typing import NDArray

from server.backgrounds.generated import cover, order_for, painted_size, render
from server.composition import Generated
from server.generation import Generation, Progress, Prompt, no_progress
from server.image.decode import View
from server.image.layout import Layout
from server.image.libvips import to_array
from server.image.stage import Stage

Bytes = NDArray[np.uint8]


class FakeModel:
    """Paints the mask in the seed's grey, and keeps what it was asked."""

    name, method, max_side, multiple = "fake", "procedural", 256, 8

    def generate(self, prompt: Prompt, image: Bytes, mask: Bytes, on_progress: Progress = no_progress) -> Generation:
        on_progress(1.0)
        self.asked = prompt, image, mask
        return Generation(np.where(mask[..., None] == 255, np.uint8(prompt.seed), image), "cpu/fake/uint8")


class Shelf:
    """Gives a model for any name, and keeps the names."""

    def __init__(self) -> None:
        self.model = FakeModel()
        self.names: list[str | None] = []

    def __call__(self, name: str | None) -> FakeModel:
        self.names.append(name)
        return self.model


def stage(layout: Layout | None = None) -> Stage:
    """A picture of 400 × 300, seen at 200 × 150, red with an opaque square in its middle that is a quarter of it."""
    colour = np.zeros((150, 200, 3), np.uint8)
    colour[..., 0] = 200
    alpha = np.zeros((150, 200), np.uint8)
    alpha[50:100, 75:125] = 255
    return Stage(layout or Layout(400, 300), (300, 400), View(colour, None), alpha)


@pytest.mark.parametrize(
    ("canvas", "limits", "size"),
    [
        ((1024, 768), (1024, 8), (768, 1024)),  # as it is
        ((6000, 4000), (1024, 64), (704, 1024)),  # shrunk, and rounded
        ((300, 301), (1024, 8), (304, 304)),  # rounded, not shrunk
        ((1023, 1023), (1000, 64), (960, 960)),  # the largest multiple that the model paints
        ((8000, 20), (2048, 8), (8, 2048)),
        ((1, 1), (2048, 64), (64, 64)),
    ],
)
def test_the_painted_size_has_the_canvas_s_proportions_and_is_one_that_the_model_paints(
    canvas: tuple[int, int], limits: tuple[int, int], size: tuple[int, int]
) -> None:
    assert painted_size(*canvas, *limits) == size


def test_the_model_is_asked_once_and_its_answer_covers_the_canvas() -> None:
    shelf = Shelf()
    background = Generated("a wall", seed=77, negative_prompt="windows", steps=3)

    painted = render(stage(), background, shelf)

    prompt, image, mask = shelf.model.asked
    assert (prompt, shelf.names) == (Prompt("a wall", "windows", 77, 3), [None])
    assert image.shape == (192, 256, 3)
    assert mask.shape == (192, 256)
    assert (painted.model, painted.device, painted.method, painted.seed) == ("fake", "cpu/fake/uint8", "procedural", 77)
    pixels = to_array(painted.image)
    assert pixels.shape == (300, 400, 3)
    assert (pixels[:50] == 77).all()


def test_a_named_model_is_asked_for_by_its_name() -> None:
    shelf = Shelf()
    render(stage(), Generated("a wall", seed=1, model="other"), shelf)
    assert shelf.names == ["other"]


def test_the_model_sees_the_subject_over_grey_and_nothing_of_the_old_background() -> None:
    order = order_for(stage(), 150, 200)
    assert (order.image[75, 100] == [200, 0, 0]).all()
    assert (order.image[:45] == 128).all()


def test_the_mask_is_the_inverted_alpha_with_a_little_of_the_subject_s_edge() -> None:
    mask = order_for(stage(), 150, 200).mask
    kept = np.argwhere(mask == 0)
    assert set(np.unique(mask)) == {0, 255}
    assert (kept.min(axis=0), kept.max(axis=0)) == (pytest.approx([51, 76]), pytest.approx([98, 123]))


def test_what_the_frame_cuts_off_is_no_edge() -> None:
    cut = stage()
    cut.alpha[:] = 255
    for size in ((150, 200), (304, 400)):
        assert (order_for(cut, *size).mask == 0).all()


def test_half_transparent_is_painted() -> None:
    soft = stage()
    soft.alpha[:] = 128
    assert (order_for(soft, 150, 200).mask == 255).all()


def test_the_subject_stands_where_the_layout_puts_it() -> None:
    placed = stage(Layout(800, 600, scale=0.5, left=600, top=0))  # the upper right quarter
    order = order_for(placed, 150, 200)
    assert (order.mask[:, :150] == 255).all()
    assert (order.image[:, :149] == 128).all()
    rows, columns = np.nonzero(order.mask == 0)
    assert (rows.mean(), columns.mean()) == (pytest.approx(18.5, abs=1), pytest.approx(174.5, abs=1))
    assert (order.image[int(rows.mean()), int(columns.mean())] == [200, 0, 0]).all()


def test_a_subject_that_leaves_the_canvas_is_no_fault() -> None:
    away = stage(Layout(100, 100, scale=3.0, left=-2_000, top=500))
    assert (order_for(away, 96, 96).mask == 255).all()


@pytest.mark.parametrize(("width", "height"), [(400, 300), (401, 299), (50, 38), (1, 1), (1_000, 60)])
def test_an_answer_covers_any_canvas_without_a_seam(width: int, height: int) -> None:
    pixels = to_array(cover(np.full((192, 256, 3), 90, np.uint8), width, height))
    assert pixels.shape == (height, width, 3)
    assert (pixels == 90).all()


def test_an_enlarged_answer_stays_where_it_is() -> None:
    ramp = np.repeat(np.arange(0, 256, 4, dtype=np.uint8)[None, :, None], 64, axis=0).repeat(3, axis=2)
    pixels = to_array(cover(ramp, 640, 640))[320, :, 0].astype(float)
    expected = (np.arange(640) + 0.5) / 10 * 4 - 2
    assert np.abs(pixels - expected)[10:-10].max() <= 1
    assert (np.diff(pixels) >= 0).all()

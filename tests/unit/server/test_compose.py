"""Composition: values, and the laying of a subject over a background."""

import numpy as np
import pytest
import pyvips

from server.compose import compose, draw
from server.composition import Background, Color, Composition, NoBackground
from server.errors import InvalidParameterError
from server.image.decode import Pixels, View
from server.image.layout import Layout
from server.image.libvips import from_array, to_array
from server.image.refine import refine
from server.image.scene import Scene, build_scene
from server.image.stage import Stage
from server.output import ImageFormat

PICTURE = np.random.default_rng(8).integers(0, 256, (40, 60, 3), np.uint8)
ALPHA = np.tile(np.clip((np.arange(60) - 20) * 12, 0, 255).astype(np.uint8), (40, 1))


@pytest.fixture
def scene() -> Scene:
    picture = from_array(PICTURE).copy(interpretation="srgb")
    return build_scene(Pixels(picture, None), refine(View(PICTURE, None), ALPHA))


def over(scene: Scene, background: Background) -> pyvips.Image:
    return compose(scene, draw(Stage(Layout(60, 40), (40, 60), View(PICTURE, None), ALPHA), background), None)


def test_no_background_is_the_cutout(scene: Scene) -> None:
    assert np.array_equal(to_array(over(scene, NoBackground())), to_array(scene.cutout))


def test_opaque_colour_fills_what_is_behind(scene: Scene) -> None:
    image = over(scene, Color(10, 200, 30))
    assert (image.bands, image.format, image.interpretation) == (3, "uchar", "srgb")
    cutout = to_array(scene.cutout).astype(float)
    weight = cutout[..., 3:] / 255
    expected = cutout[..., :3] * weight + np.array([10, 200, 30]) * (1 - weight)
    assert np.abs(to_array(image) - expected).max() <= 1


@pytest.mark.parametrize("opacity", [0, 1, 128, 254])
def test_translucent_colour_is_laid_under_by_the_over_rule(scene: Scene, opacity: int) -> None:
    image = over(scene, Color(10, 200, 30, opacity))
    assert (image.bands, image.format, image.interpretation) == (4, "uchar", "srgb")
    result, cutout = to_array(image).astype(float), to_array(scene.cutout).astype(float)
    upper, lower = cutout[..., 3:] / 255, opacity / 255
    # Porter and Duff 1984, "over", straight alpha.
    alpha = upper + lower * (1 - upper)
    colour = (cutout[..., :3] * upper + np.array([10, 200, 30]) * lower * (1 - upper)) / np.maximum(alpha, 1e-9)
    assert np.abs(result[..., 3:] - 255 * alpha).max() <= 1
    seen = alpha[..., 0] > 0.1
    assert np.abs(result[seen][:, :3] - colour[seen]).max() <= 2
    solid = cutout[..., 3] == 255
    assert np.array_equal(result[solid][:, :3], PICTURE[solid])


@pytest.mark.parametrize("channel", ["red", "green", "blue", "alpha"])
@pytest.mark.parametrize("value", [-1, 256])
def test_colour_channels_have_limits(channel: str, value: int) -> None:
    levels = {"red": 0, "green": 255, "blue": 0, "alpha": 255}
    assert Color(**levels).green == 255
    with pytest.raises(InvalidParameterError) as refusal:
        Color(**{**levels, channel: value})
    assert refusal.value.metadata == {"field": f"color.{channel}"}


def test_only_an_opaque_colour_makes_an_opaque_picture() -> None:
    assert Composition(Color(0, 0, 0)).opaque
    assert not Composition(Color(0, 0, 0, 254)).opaque
    assert not Composition(NoBackground()).opaque


def test_content_types() -> None:
    assert [form.content_type for form in ImageFormat] == ["image/png", "image/webp", "image/jpeg"]

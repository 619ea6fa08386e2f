"""Composition: values, and the laying of a subject over a background."""

from dataclasses import astuple

import numpy as np
import pytest
import pyvips

from server.compose import cast, compose, draw
from server.composition import Background, Color, Composition, ContactShadow, DropShadow, NoBackground, Shadow
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
STAGE = Stage(Layout(60, 40), (40, 60), View(PICTURE, None), ALPHA)


@pytest.fixture
def scene() -> Scene:
    picture = from_array(PICTURE).copy(interpretation="srgb")
    return build_scene(Pixels(picture, None), refine(View(PICTURE, None), ALPHA))


def over(scene: Scene, background: Background) -> pyvips.Image:
    return compose(scene, draw(STAGE, background), None)


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


SHADOWS = [DropShadow(4, 3, 6), ContactShadow(), DropShadow(-2, 5, 0, Color(200, 10, 90, 77))]


@pytest.mark.parametrize("shadow", SHADOWS, ids=str)
@pytest.mark.parametrize("background", [NoBackground(), Color(10, 200, 30), Color(10, 200, 30, 90)], ids=str)
def test_shadow_lies_between_background_and_subject(scene: Scene, background: Background, shadow: Shadow) -> None:
    shade = cast(STAGE, shadow)
    assert shade is not None
    image = compose(scene, draw(STAGE, background), shade)
    assert (image.format, image.interpretation) == ("uchar", "srgb")
    behind = np.zeros(4) if isinstance(background, NoBackground) else np.array(astuple(background), float)
    layers = [np.broadcast_to(behind, (40, 60, 4)), to_array(shade.image).astype(float), to_array(scene.cutout)]
    # Porter and Duff 1984, "over", from below, premultiplied.
    colour, alpha = np.zeros((40, 60, 3)), np.zeros((40, 60, 1))
    for layer in layers:
        share = layer[..., 3:] / 255
        colour, alpha = layer[..., :3] * share + colour * (1 - share), share + alpha * (1 - share)
    result = to_array(image).astype(float)
    if image.bands == 4:
        assert np.abs(result[..., 3:] - 255 * alpha).max() <= 2
        # Straight: the colour is not darkened by transparency, and what nobody sees is zero.
        seen = alpha[..., 0] > 0.1
        assert np.abs(result[seen][:, :3] - (colour / np.maximum(alpha, 1e-9))[seen]).max() <= 4
        assert not result[result[..., 3] == 0][:, :3].any()
    else:
        assert np.abs(result - colour).max() <= 1.5
    solid = ALPHA == 255
    assert np.array_equal(result[solid][:, :3], PICTURE[solid])


def test_transparent_where_it_was(scene: Scene) -> None:
    # A shadow that falls elsewhere changes nothing of the cut-out.
    image = to_array(compose(scene, None, cast(STAGE, DropShadow(2000, 0, 0))))
    assert np.array_equal(image, to_array(scene.cutout))
    without = to_array(compose(scene, None, None))
    shaded = to_array(compose(scene, None, cast(STAGE, DropShadow(5, 5, 2))))
    strength = to_array(cast(STAGE, DropShadow(5, 5, 2)).image)[..., 3]  # type: ignore[union-attr]
    clear = (without[..., 3] == 0) & (strength == 0)
    assert clear.any()
    assert not shaded[clear].any()


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

"""What the flags of `clearcanvas cut` ask of the service, and what is refused before anything is sent."""

import inspect
from pathlib import Path
from typing import Any

import pytest
import typer
from clearcanvas.v1 import composition_pb2 as wire
from clearcanvas.v1 import images_pb2
from clearcanvas.v1.composition_pb2 import Blur, Color, Composition, ContactShadow, DropShadow, Generated, Gradient
from clearcanvas.v1.images_pb2 import Canvas, Crop, EditRequest, Length, Margins, OutputOptions, Placement

from cli.compositions import read_template
from cli.cut import cut

RED, LIME = Color(red=255, green=0, blue=0, alpha=255), Color(red=0, green=255, blue=0, alpha=255)
WHITE = Color(red=255, green=255, blue=255, alpha=255)
SHADE = Color(red=0, green=0, blue=0, alpha=150)
DEFAULTS = {name: parameter.default for name, parameter in inspect.signature(cut).parameters.items()}
LINEAR = wire.GRADIENT_KIND_LINEAR
PNG, PICTURE = images_pb2.IMAGE_FORMAT_PNG, images_pb2.OUTPUT_KIND_PICTURE
TEN = Length(pixels=10)


def template(**given: Any) -> EditRequest:
    return read_template(DEFAULTS | given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Composition()),
        ({"color": "red"}, Composition(color=RED)),
        ({"color": "#ff0000"}, Composition(color=RED)),
        ({"gradient": "red,lime"}, Composition(gradient=Gradient(kind=LINEAR, start=RED, end=LIME, angle=180))),
        (
            {"gradient": "(255,0,0), #0f0", "angle": "-90", "radial": True},
            Composition(gradient=Gradient(kind=wire.GRADIENT_KIND_RADIAL, start=RED, end=LIME, angle=-90)),
        ),
        ({"blur": "20"}, Composition(blur=Blur(radius=20, kind=wire.BLUR_KIND_GAUSSIAN))),
        ({"blur": "100", "lens": True}, Composition(blur=Blur(radius=100, kind=wire.BLUR_KIND_LENS))),
        ({"prompt": "a beach"}, Composition(generated=Generated(prompt="a beach"))),
        (
            {"prompt": "a", "negative_prompt": "b", "seed": "7", "steps": "4", "generation_model": "m"},
            Composition(generated=Generated(prompt="a", negative_prompt="b", seed=7, steps=4, model="m")),
        ),
        ({"shadow": "drop"}, Composition(drop_shadow=DropShadow(color=SHADE))),
        (
            {"color": "red", "shadow": "contact", "offset_x": "-5", "offset_y": "0", "shadow_blur": "9"},
            Composition(color=RED, contact_shadow=ContactShadow(offset_x=-5, offset_y=0, blur_radius=9, color=SHADE)),
        ),
    ],
)
def test_backgrounds_and_shadows(given: dict[str, Any], expected: Composition) -> None:
    assert template(**given).composition == expected


def test_another_picture_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "beach.jpg").write_bytes(b"beach")
    edit = template(background=tmp_path / "beach.jpg", fit="contain", fill="red")
    assert edit.composition.picture == wire.Picture(image=b"beach", fit=wire.FIT_CONTAIN, fill=RED)
    assert template(background=tmp_path / "beach.jpg").composition.picture.fill == WHITE


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, OutputOptions(format=PNG, kind=PICTURE)),
        ({"encoding": "webp"}, OutputOptions(format=images_pb2.IMAGE_FORMAT_WEBP, kind=PICTURE)),
        (
            {"encoding": "jpg", "mask": True},
            OutputOptions(format=images_pb2.IMAGE_FORMAT_JPEG, kind=images_pb2.OUTPUT_KIND_MASK),
        ),
        (
            {"crop": True, "margin": "10px"},
            OutputOptions(
                format=PNG, kind=PICTURE, crop=Crop(margin=Margins(top=TEN, right=TEN, bottom=TEN, left=TEN))
            ),
        ),
        ({"size": "640x480"}, OutputOptions(format=PNG, kind=PICTURE, canvas=Canvas(width=640, height=480))),
        (
            {"size": "640", "scale": "80%", "position": "30% 70%"},
            OutputOptions(format=PNG, kind=PICTURE, longest_side=640, placement=Placement(scale=0.8, x=0.3, y=0.7)),
        ),
    ],
)
def test_outputs(given: dict[str, Any], expected: OutputOptions) -> None:
    assert template(**given).output == expected


def test_the_subject() -> None:
    assert (template().model, template().subject) == ("", images_pb2.SUBJECT_SOURCE_UNSPECIFIED)
    edit = template(model="m", own_alpha=True)
    assert (edit.model, edit.subject) == ("m", images_pb2.SUBJECT_SOURCE_OWN_ALPHA)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"color": "red", "blur": "3"}, "--color and --blur are backgrounds: choose one"),
        ({"angle": "3"}, "--angle goes with --gradient"),
        ({"blur": "3", "radial": True}, "--radial goes with --gradient"),
        ({"lens": True}, "--lens goes with --blur"),
        ({"color": "red", "fill": "red"}, "--fill goes with --background"),
        ({"seed": "3"}, "--seed goes with --prompt"),
        ({"offset_x": "0"}, "--offset-x goes with --shadow"),
        ({"margin": "3"}, "--margin goes with --crop"),
        ({"blur": "101"}, "--blur must be 1 to 100"),
        ({"gradient": "red"}, "--gradient must be two colors"),
        ({"gradient": "red,blueish"}, "--gradient must be r,g,b"),
        ({"color": "reddish", "size": "0"}, r"--color must be r,g,b .*; --size must be the longer side"),
        ({"encoding": "jpg"}, "--format jpg has no transparency"),
        ({"shadow": "long"}, "--shadow must be none, drop or contact"),
        ({"shadow": "drop", "shadow_blur": "501"}, "--shadow-blur must be 0 to 500"),
        ({"prompt": ""}, "--prompt is empty"),
        ({"color": ""}, "--color is empty"),
        ({"prompt": " "}, "--prompt is required"),
    ],
)
def test_what_cannot_be_understood(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"^{sentence}"):
        template(**given)


def test_a_fill_that_is_no_color_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"picture")
    with pytest.raises(typer.BadParameter, match=r"^--fill must be"):
        template(background=tmp_path / "a", fill="reddish")


def test_a_background_over_the_limit_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(25 * 1024 * 1024 + 1)
    with pytest.raises(typer.BadParameter, match="is larger than 25 MiB"):
        template(background=tmp_path / "large")

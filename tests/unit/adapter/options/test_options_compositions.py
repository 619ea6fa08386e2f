"""What the fields of backgrounds, shadows and generation become."""

import pytest
from clearcanvas.v1 import composition_pb2 as wire
from clearcanvas.v1.composition_pb2 import Blur, Color, Composition, ContactShadow, DropShadow, Generated, Gradient

from adapter.options import backgrounds
from adapter.options.backgrounds import BG_IMAGE_URL, RADIUS, parse_url, read_blur, read_gradient, read_picture
from adapter.options.fields import Fields
from adapter.options.formats import is_opaque
from adapter.options.generation import MODEL, PROMPT, SEED, STEPS, parse_model, read_generated
from adapter.options.option import Option
from adapter.options.shadows import BLUR_RADIUS, MODE, OFFSET_X, OFFSET_Y, SHADOW, cast_shadow

WHITE, BLACK = Color(red=255, green=255, blue=255, alpha=255), Color(red=0, green=0, blue=0, alpha=255)
SHADE = Color(red=0, green=0, blue=0, alpha=150)
RED = Color(red=255, green=0, blue=0, alpha=255)


@pytest.mark.parametrize(
    ("option", "least", "most"),
    [
        (RADIUS, 1, 100),
        (OFFSET_X, -2_000, 2_000),
        (OFFSET_Y, -2_000, 2_000),
        (BLUR_RADIUS, 0, 500),
        (SEED, 0, 2**64 - 1),
        (STEPS, 1, 100),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_bounds(option: Option[int], least: int, most: int) -> None:
    assert [option.parse(str(number)) for number in (least, most)] == [least, most]
    for number in (least - 1, most + 1):
        with pytest.raises(ValueError, match=f"^must be {least} to {most}$"):
            option.parse(str(number))


def test_blur() -> None:
    assert read_blur(Fields({})) == Blur(radius=20, kind=wire.BLUR_KIND_GAUSSIAN)
    assert read_blur(Fields({"radius": "100", "kind": "lens"})) == Blur(radius=100, kind=wire.BLUR_KIND_LENS)


@pytest.mark.parametrize("names", [("hexColor1", "hexColor2"), ("top_color", "bottom_color")])
@pytest.mark.parametrize("red", ["#ff0000", "ff0000", "f00", "red", "255,0,0"])
def test_a_gradient_has_its_colours_under_each_name_and_in_each_spelling(names: tuple[str, str], red: str) -> None:
    expected = Gradient(kind=wire.GRADIENT_KIND_LINEAR, start=RED, end=BLACK, angle=180)
    assert read_gradient(Fields({names[0]: red})) == expected
    expected = Gradient(kind=wire.GRADIENT_KIND_RADIAL, start=WHITE, end=RED, angle=-45.5)
    assert read_gradient(Fields({names[1]: red, "angle": "-45.5", "kind": "radial"})) == expected


def test_picture() -> None:
    assert read_picture(Fields({})) == wire.Picture(fit=wire.FIT_COVER, fill=WHITE)
    assert read_picture(Fields({"fit": "contain", "color": "red"})) == wire.Picture(fit=wire.FIT_CONTAIN, fill=RED)


@pytest.mark.parametrize("url", ["https://a.example/b.jpg", "HTTP://a", "http://" + "a" * 2_041])
def test_urls(url: str) -> None:
    assert parse_url(url) == url


@pytest.mark.parametrize("url", ["ftp://a", "//a/b", "file:///etc/passwd", "http://a\n", "http://" + "a" * 2_042])
def test_what_is_no_url_of_a_picture(url: str) -> None:
    with pytest.raises(ValueError, match=r"^must be an http or https URL of at most 2048 characters$"):
        parse_url(url)


def test_generated() -> None:
    assert read_generated(Fields({"prompt": "a beach"})) == Generated(prompt="a beach")
    values = {"prompt": "a", "negative_prompt": "b", "seed": "0", "steps": "4", "generation_model": "backdrop"}
    expected = Generated(prompt="a", negative_prompt="b", seed=0, steps=4, model="backdrop")
    assert read_generated(Fields(values)) == expected
    assert read_generated(Fields(values)).HasField("seed")


def test_prompts_are_bounded_in_characters() -> None:
    assert PROMPT.parse("ä" * 1_000)
    with pytest.raises(ValueError, match=r"^must have at most 1000 characters$"):
        PROMPT.parse("a" * 1_001)


@pytest.mark.parametrize("name", ["isnet", "a" * 64, "v1.2_x-y", "0"])
def test_model_names(name: str) -> None:
    assert MODEL.parse(name) == parse_model(name) == name


@pytest.mark.parametrize("name", ["a" * 65, "..", "-x", "a b", "a/b", "é"])
def test_what_is_no_model_name(name: str) -> None:
    with pytest.raises(ValueError, match="must be a model's name"):
        parse_model(name)


def test_shadows() -> None:
    def cast(**values: str) -> Composition:
        return cast_shadow(Fields(values), Composition(), SHADOW)

    assert cast() == cast(shadow="none", offset_x="5") == Composition()
    assert cast(shadow="drop") == Composition(drop_shadow=DropShadow(color=SHADE))
    assert cast(shadow="contact", offset_y="-1", blur_radius="0", shadow_color="red") == Composition(
        contact_shadow=ContactShadow(offset_y=-1, blur_radius=0, color=RED)
    )
    assert cast(shadow="drop", offset_x="0").drop_shadow.HasField("offset_x")
    assert cast_shadow(Fields({}), Composition(), MODE) == Composition(drop_shadow=DropShadow(color=SHADE))


@pytest.mark.parametrize(
    ("composition", "opaque"),
    [
        (Composition(), False),
        (Composition(none=wire.NoBackground(), drop_shadow=DropShadow()), False),
        (Composition(color=Color()), True),
        (Composition(color=Color(alpha=254)), False),
        (Composition(gradient=Gradient(start=WHITE, end=RED)), True),
        (Composition(gradient=Gradient(start=WHITE, end=SHADE)), False),
        (Composition(gradient=Gradient(start=SHADE, end=WHITE)), False),
        (Composition(blur=Blur()), True),
        (Composition(picture=wire.Picture()), True),
        (Composition(picture=wire.Picture(fill=SHADE)), False),
        (Composition(generated=Generated()), True),
    ],
)
def test_what_is_opaque(composition: Composition, opaque: bool) -> None:  # noqa: FBT001
    assert is_opaque(composition) == opaque


def test_the_image_service_has_the_same_rule_of_what_is_opaque() -> None:
    from server.wire.compositions import read_composition

    for alpha in (0, 254, 255):
        color = Color(alpha=alpha)
        for composition in (
            Composition(),
            Composition(color=color),
            Composition(gradient=Gradient(start=color, end=WHITE)),
            Composition(gradient=Gradient(start=WHITE, end=color)),
            Composition(blur=Blur()),
            Composition(picture=wire.Picture(fill=color)),
            Composition(generated=Generated(prompt="x")),
        ):
            assert is_opaque(composition) == read_composition(composition).opaque


def test_urls_are_described_as_they_are_read() -> None:
    assert BG_IMAGE_URL.default == ""
    assert BG_IMAGE_URL in backgrounds.PICTURE

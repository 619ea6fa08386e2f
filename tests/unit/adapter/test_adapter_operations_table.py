"""The table of operations, against the public contract and the proto."""

import pytest
from clearcanvas.v1.composition_pb2 import Color, Composition, NoBackground

from adapter.errors import InvalidFieldsError
from adapter.operations import MAX_PIXELS, OPERATIONS, build_request
from adapter.options.fields import Fields
from adapter.uploads.form import Form

BY_PATH = {operation.path: operation for operation in OPERATIONS}


def test_every_background_of_the_contract_has_its_row() -> None:
    composed = {operation.compose(Fields({})).WhichOneof("background") for operation in OPERATIONS}
    assert composed == {field.name for field in Composition.DESCRIPTOR.oneofs_by_name["background"].fields}


def test_paths_are_unique_and_versioned() -> None:
    assert len(BY_PATH) == len(OPERATIONS)
    assert all(path.startswith("/image/") and path.endswith("/v1") for path in BY_PATH)


def test_the_limit_is_the_published_one() -> None:
    assert MAX_PIXELS == 2048 * 2048


def test_matte_has_no_background() -> None:
    request = build_request(BY_PATH["/image/matte/v1"], Form(b"x", {"bgcolor": "red"}), "")
    assert request.composition == Composition(none=NoBackground())
    assert (request.image, request.max_pixels, request.model) == (b"x", MAX_PIXELS, "")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (255, 255, 255)),
        ({"color": "red"}, (255, 0, 0)),
        ({"bg_color": "red", "color": "lime"}, (255, 0, 0)),
        ({"bgcolor": "blue", "bg_color": "red"}, (0, 0, 255)),
        ({"bgcolor": " ", "color": "red"}, (255, 0, 0)),
    ],
)
def test_color_takes_the_first_alias_that_has_a_value(fields: dict[str, str], expected: tuple[int, int, int]) -> None:
    red, green, blue = expected
    request = build_request(BY_PATH["/image/color/v1"], Form(b"x", fields), "")
    assert request.composition == Composition(color=Color(red=red, green=green, blue=blue, alpha=255))


def test_all_mistakes_are_in_one_answer() -> None:
    form = Form(b"", {"bg_color": "nope", "format": "gif", "model": "a/b"})
    with pytest.raises(InvalidFieldsError) as caught:
        build_request(BY_PATH["/image/color/v1"], form, "")
    assert set(caught.value.fields) == {"image", "bg_color", "format", "model"}


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("isnet", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("v1.2_x-y", True),
        ("..", False),
        ("-x", False),
        ("a b", False),
    ],
)
def test_model_names_are_bounded(name: str, sound: bool) -> None:  # noqa: FBT001
    form = Form(b"x", {"model": name})
    if sound:
        assert build_request(BY_PATH["/image/matte/v1"], form, "").model == name
    else:
        with pytest.raises(InvalidFieldsError, match="Invalid request data"):
            build_request(BY_PATH["/image/matte/v1"], form, "")

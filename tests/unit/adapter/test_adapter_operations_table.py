"""The table of operations, against the public contract and the proto."""

from typing import Any

import pytest
from clearcanvas.v1 import images_pb2
from clearcanvas.v1.composition_pb2 import Color, Composition, NoBackground

from adapter.errors import InvalidFieldsError
from adapter.operations import MAX_PIXELS, OPERATIONS, PAID, Operation, Order, read_order
from adapter.options.fields import Fields
from adapter.options.option import Option
from adapter.uploads.form import Form

BY_NAME = {operation.name: operation for operation in (*OPERATIONS, PAID)}
WRONG = "\x00" + "x" * 2_000  # What no option takes: too long for words, and with a control character.
NEEDED = {"generate": {"prompt": "a beach"}, "picture": {"bg_image_url": "https://example.com/a.jpg"}}


def read(name: str, files: dict[str, bytes] | None = None, /, **fields: str) -> Order:
    return read_order(BY_NAME[name], Form({"image": b"x"} if files is None else files, fields), "")


def wrong(name: str, files: dict[str, bytes] | None = None, /, **fields: str) -> dict[str, str]:
    with pytest.raises(InvalidFieldsError) as caught:
        read(name, files, **fields)
    return caught.value.fields


def test_paths_are_unique_and_versioned() -> None:
    paths = [operation.path for operation in OPERATIONS]
    assert len(set(paths)) == len(OPERATIONS) == len({operation.name for operation in OPERATIONS})
    assert paths == [f"/image/{operation.name}/v1" for operation in OPERATIONS]


def test_the_limit_is_the_published_one() -> None:
    assert MAX_PIXELS == 2048 * 2048
    assert read("matte").edit.max_pixels == MAX_PIXELS
    assert read("remove-background").edit.max_pixels == 0


def test_matte_has_no_background() -> None:
    edit = read("matte", bgcolor="red", shadow="drop").edit
    assert edit.composition == Composition(none=NoBackground())
    assert (edit.image, edit.model) == (b"x", "")


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
    composition = read("color", **fields).edit.composition
    assert composition == Composition(color=Color(red=red, green=green, blue=blue, alpha=255))


def test_generate_takes_the_picture_s_own_transparency_for_the_matte() -> None:
    own = {row.name for row in OPERATIONS if row.subject == images_pb2.SUBJECT_SOURCE_OWN_ALPHA}
    assert own == {"generate"}
    assert read("generate", prompt="a beach").edit.subject == images_pb2.SUBJECT_SOURCE_OWN_ALPHA


def test_all_mistakes_are_in_one_answer() -> None:
    assert set(wrong("color", {}, bg_color="nope", format="gif", model="a/b", size="0", offset_x="far")) == {
        "image",
        "bg_color",
        "format",
        "model",
        "size",
        "offset_x",
    }


@pytest.mark.parametrize("row", [*OPERATIONS, PAID], ids=lambda row: row.name)
def test_every_option_that_is_described_is_read(row: Operation) -> None:
    """A value that no option takes is refused under the option's name and under each of its aliases."""
    for option in row.options:
        for name in option.names:
            fields = NEEDED.get(row.name, {}) | {name: WRONG}
            assert wrong(row.name, **fields).keys() == {name}, option.name


@pytest.mark.parametrize("row", [*OPERATIONS, PAID], ids=lambda row: row.name)
def test_what_is_described_as_the_default_is_the_default(row: Operation) -> None:
    described: list[Option[Any]] = [option for option in row.options if "default" in option.schema]
    sent = {option.name: str(option.schema["default"]) for option in described}
    needed = NEEDED.get(row.name, {})
    assert read(row.name, **needed, **sent).edit == read(row.name, **needed).edit


def test_other_fields_are_of_no_interest() -> None:
    assert Fields({"radius": "1000"}).take(BY_NAME["matte"].options[0]) is not None
    assert read("matte", radius="1000", colour="reddish").edit == read("matte").edit


def test_files_are_taken_out_of_the_form() -> None:
    form = Form({"image": b"x", "background": b"y"}, {})
    order = read_order(BY_NAME["picture"], form, "")
    assert (order.edit.image, order.edit.composition.picture.image, order.background_url) == (b"x", b"y", "")
    assert form.files == {}


def test_a_picture_comes_from_a_file_or_from_a_url() -> None:
    url = "https://example.com/beach.jpg"
    order = read("picture", bg_image_url=url)
    assert (order.background_url, order.edit.composition.picture.image) == (url, b"")
    both = {"image": b"x", "background": b"y"}
    assert wrong("picture") == {"background": "is required, or bg_image_url in its place"}
    assert wrong("picture", both, bg_image_url=url) == {"bg_image_url": "cannot be sent together with background"}
    assert wrong("picture", bg_image_url="ftp://a").keys() == {"bg_image_url"}

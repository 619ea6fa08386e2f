"""Wire messages to values: defaults, limits on both sides, unknown values named."""

import pytest
from clearcanvas.v1 import composition_pb2, images_pb2

from server.composition import Color, NoBackground
from server.edit import EditResult
from server.errors import InvalidImageError, InvalidParameterError, PayloadTooLargeError
from server.image.box import Box
from server.image.header import ImageHeader
from server.output import ImageFormat, OutputKind
from server.wire.messages import MAX_IMAGE_BYTES, read_edit_request, read_inspect_request, write_facts, write_header

LIMIT = 1000
Request = images_pb2.EditRequest


def coloured(**channels: int) -> images_pb2.EditRequest:
    color = composition_pb2.Color(**channels)
    return Request(image=b"x", composition=composition_pb2.Composition(color=color))


def test_what_is_not_set_has_its_documented_default() -> None:
    pictures, call = read_edit_request(Request(image=b"x"), LIMIT)
    assert (pictures.image, pictures.background) == (b"x", b"")
    assert call.task.composition.background == NoBackground()
    assert (call.task.output.format, call.task.output.kind) == (ImageFormat.PNG, OutputKind.PICTURE)
    assert (call.model, call.task.max_pixels) == ("", LIMIT)


def test_every_format_and_kind_of_the_contract_is_understood() -> None:
    background = composition_pb2.Composition(color=composition_pb2.Color())
    for form in images_pb2.ImageFormat.values():
        for kind in images_pb2.OutputKind.values():
            output = images_pb2.OutputOptions(format=form, kind=kind)
            read_edit_request(Request(image=b"x", composition=background, output=output), LIMIT)


def test_every_background_of_the_contract_is_understood() -> None:
    for field in composition_pb2.Composition.DESCRIPTOR.oneofs_by_name["background"].fields:
        composition = composition_pb2.Composition()
        getattr(composition, field.name).SetInParent()
        if field.name == "generated":
            composition.generated.prompt = "a beach"  # It has no default.
        if field.name == "picture":
            composition.picture.image = b"y"
        _, call = read_edit_request(Request(image=b"x", composition=composition), LIMIT)
        background = call.task.composition.background
        assert field.message_type is not None
        assert type(background).__name__ == field.message_type.name


def test_an_unset_alpha_is_opaque_and_a_zero_is_not() -> None:
    assert read_edit_request(coloured(red=1), LIMIT)[1].task.composition.background == Color(1, 0, 0, 255)
    assert read_edit_request(coloured(red=1, alpha=0), LIMIT)[1].task.composition.background == Color(1, 0, 0, 0)


@pytest.mark.parametrize("channel", ["red", "green", "blue", "alpha"])
def test_a_channel_ends_at_255(channel: str) -> None:
    read_edit_request(coloured(**{channel: 255}), LIMIT)
    with pytest.raises(InvalidParameterError) as caught:
        read_edit_request(coloured(**{channel: 256}), LIMIT)
    assert caught.value.metadata["field"] == f"color.{channel}"


@pytest.mark.parametrize("field", ["format", "kind"])
def test_an_unknown_option_is_named(field: str) -> None:
    output = images_pb2.OutputOptions(**{field: 99})  # type: ignore[arg-type] # on purpose
    with pytest.raises(InvalidParameterError) as caught:
        read_edit_request(Request(image=b"x", output=output), LIMIT)
    assert caught.value.metadata["field"] == f"output.{field}"


def test_size_limits_on_both_sides() -> None:
    with pytest.raises(InvalidImageError):
        read_edit_request(Request(), LIMIT)
    read_edit_request(Request(image=bytes(MAX_IMAGE_BYTES)), LIMIT)
    with pytest.raises(PayloadTooLargeError):
        read_edit_request(Request(image=bytes(MAX_IMAGE_BYTES + 1)), LIMIT)


@pytest.mark.parametrize(("asked", "given"), [(0, LIMIT), (1, 1), (LIMIT, LIMIT), (LIMIT + 1, LIMIT)])
def test_a_caller_may_lower_the_limit_of_pixels(asked: int, given: int) -> None:
    assert read_edit_request(Request(image=b"x", max_pixels=asked), LIMIT)[1].task.max_pixels == given


@pytest.mark.parametrize("name", ["isnet", "a", "u2.net_v-3", "a" * 64, "isnet@2", "a@999999999"])
def test_names_of_models(name: str) -> None:
    assert read_edit_request(Request(image=b"x", model=name), LIMIT)[1].model == name


@pytest.mark.parametrize(
    "name", ["../isnet", ".hidden", "a b", "a\nb", "a" * 65, "é", "isnet@", "isnet@0", "isnet@x", "@1", "a@1@2"]
)
def test_what_is_no_name_of_a_model(name: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        read_edit_request(Request(image=b"x", model=name), LIMIT)
    assert caught.value.metadata["field"] == "model"


def test_the_header_holds_every_fact() -> None:
    result = EditResult(
        content_type="image/webp",
        size=5,
        width=3,
        height=4,
        model="m",
        device="cpu/x/f32",
        foreground=Box(top=1, left=2, width=3, height=4),
        stages=(("decode", 0.5),),
    )
    header = write_header(result, 0.25).header
    assert (header.content_type, header.size, header.width, header.height) == ("image/webp", 5, 3, 4)
    assert (header.model, header.device) == ("m", "cpu/x/f32")
    box = header.foreground
    assert (box.top, box.left, box.width, box.height) == (1, 2, 3, 4)
    assert [(stage.name, stage.seconds) for stage in header.stages] == [("queue", 0.25), ("decode", 0.5)]


def test_the_beginning_of_a_picture_is_taken_from_16_bytes_on() -> None:
    request = images_pb2.InspectRequest(prefix=bytes(16), total_size=MAX_IMAGE_BYTES)
    assert read_inspect_request(request, LIMIT) == (bytes(16), MAX_IMAGE_BYTES, LIMIT)
    whole = images_pb2.InspectRequest(prefix=b"x", total_size=1, max_pixels=LIMIT - 1)
    assert read_inspect_request(whole, LIMIT) == (b"x", 1, LIMIT - 1)


@pytest.mark.parametrize(
    ("prefix", "total_size", "error"),
    [
        (b"", 0, InvalidImageError),
        (b"", 16, InvalidImageError),
        (bytes(16), MAX_IMAGE_BYTES + 1, PayloadTooLargeError),
        (bytes(16), 15, InvalidParameterError),
        (bytes(15), 16, InvalidParameterError),
    ],
)
def test_the_beginning_of_no_picture_is_refused(prefix: bytes, total_size: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_inspect_request(images_pb2.InspectRequest(prefix=prefix, total_size=total_size), LIMIT)


@pytest.mark.parametrize("form", ImageFormat)
def test_the_facts_of_every_format_can_be_told(form: ImageFormat) -> None:
    facts = write_facts(ImageHeader(form, width=3, height=4)).facts
    assert images_pb2.ImageFormat.Name(facts.format) == f"IMAGE_FORMAT_{form.name}"
    assert (facts.width, facts.height) == (3, 4)

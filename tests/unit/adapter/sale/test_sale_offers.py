"""What is charged for what: bound to all that decides the result, and to nothing that does not."""

from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from clearcanvas.v1 import images_pb2
from clearcanvas.v1.composition_pb2 import Color, Composition, DropShadow, Picture
from clearcanvas.v1.images_pb2 import EditRequest, OutputOptions
from google.protobuf.descriptor import FieldDescriptor

from adapter.payments.charge import Charge
from adapter.sale.offers import Offers, Priced

PRICED = Priced("remove-background", "/v1/remove-background", 50_000, "One picture")
FORM = Priced("matte", "/image/matte/v1", 50_000, "One picture", in_form=True)
PNG, WEBP, JPEG = images_pb2.IMAGE_FORMAT_PNG, images_pb2.IMAGE_FORMAT_WEBP, images_pb2.IMAGE_FORMAT_JPEG
PLAIN = EditRequest(
    image=b"picture", composition=Composition(picture=Picture(image=b"behind")), output=OutputOptions(format=PNG)
)
OWN_ALPHA = images_pb2.SUBJECT_SOURCE_OWN_ALPHA


def charge(
    edit: EditRequest = PLAIN, host: str = "a.example", query: str = "", priced: Priced = PRICED, url: str = ""
) -> Charge:
    request = make_mocked_request("POST", f"{priced.path}{query}", headers={"Host": host})
    return Offers(["x402"]).charge(request, priced, edit, background_url=url)


def changed(**values: object) -> EditRequest:
    edit = EditRequest()
    edit.CopyFrom(PLAIN)
    edit.MergeFrom(EditRequest(**values))  # type: ignore[arg-type]
    return edit


@pytest.mark.case("P5")
@pytest.mark.parametrize(
    "other",
    [
        charge(changed(image=b"picturf")),
        charge(changed(composition=Composition(picture=Picture(image=b"behinc")))),
        charge(changed(composition=Composition(color=Color(red=1)))),
        charge(changed(composition=Composition(drop_shadow=DropShadow()))),
        charge(changed(output=OutputOptions(format=WEBP))),
        charge(changed(output=OutputOptions(kind=images_pb2.OUTPUT_KIND_MASK))),
        charge(changed(model="other")),
        charge(changed(subject=OWN_ALPHA)),
        charge(url="https://example.com/behind.png"),
        charge(priced=FORM),
    ],
)
def test_another_result_is_another_digest(other: Charge) -> None:
    assert len(other.digest) == 32
    assert other.digest != charge().digest


# What a field that is added later would be: every one of them is bound, unless it is named here with its reason.
FREE = {"max_pixels"}  # The same for all requests of an operation.


@pytest.mark.case("P5")
@pytest.mark.parametrize("field", [field for field in EditRequest.DESCRIPTOR.fields if field.name not in FREE])
def test_every_field_of_an_edit_is_bound(field: FieldDescriptor) -> None:
    edit: Any = changed()
    if field.name == "output":
        edit.output.kind = images_pb2.OUTPUT_KIND_MASK
    elif field.name in {known.name for known, _ in PLAIN.ListFields()}:
        edit.ClearField(field.name)
    elif field.message_type is not None:
        getattr(edit, field.name).SetInParent()
    else:
        setattr(edit, field.name, "x" if field.type == field.TYPE_STRING else 1)
    assert charge(edit).digest != charge().digest


def test_what_does_not_change_the_result_does_not_change_the_digest() -> None:
    one = charge(PLAIN, host="a.example")
    other = charge(changed(max_pixels=5), host="b.example:8080", query="?format=png&x=1")
    assert one.digest == other.digest


def test_a_charge_says_what_is_sold() -> None:
    sold = charge(changed(output=OutputOptions(format=WEBP)), host="A.example:8080", query="?format=webp")
    assert (sold.operation, sold.amount, sold.description) == ("remove-background", 50_000, "One picture")
    assert sold.resource == "http://a.example:8080/v1/remove-background"
    assert (sold.content_type, sold.body) == ("image/webp", b"picture")


def test_the_bytes_of_a_form_are_not_what_is_bought() -> None:
    assert charge(priced=FORM).body == b""


@pytest.mark.parametrize(("form", "media_type"), [(PNG, "image/png"), (WEBP, "image/webp"), (JPEG, "image/jpeg")])
def test_every_format_has_its_media_type(form: images_pb2.ImageFormat.ValueType, media_type: str) -> None:
    assert charge(changed(output=OutputOptions(format=form))).content_type == media_type

"""What is charged for what: bound to all that decides the result, and to nothing that does not."""

import pytest
from aiohttp.test_utils import make_mocked_request
from clearcanvas.v1 import images_pb2
from clearcanvas.v1.composition_pb2 import Color, Composition, NoBackground
from clearcanvas.v1.images_pb2 import EditRequest, OutputOptions

from adapter.payments.charge import Charge
from adapter.sale.offers import Offers, Priced

PRICED = Priced("remove-background", "/v1/remove-background", 50_000, "One picture")
PNG, WEBP, JPEG = images_pb2.IMAGE_FORMAT_PNG, images_pb2.IMAGE_FORMAT_WEBP, images_pb2.IMAGE_FORMAT_JPEG
PLAIN = EditRequest(composition=Composition(none=NoBackground()), output=OutputOptions(format=PNG))


def charge(edit: EditRequest = PLAIN, picture: bytes = b"picture", host: str = "a.example", query: str = "") -> Charge:
    request = make_mocked_request("POST", f"/v1/remove-background{query}", headers={"Host": host})
    return Offers(["x402"]).charge(request, PRICED, edit, picture)


def changed(**values: object) -> EditRequest:
    edit = EditRequest()
    edit.CopyFrom(PLAIN)
    edit.MergeFrom(EditRequest(**values))  # type: ignore[arg-type]
    return edit


@pytest.mark.case("P5")
@pytest.mark.parametrize(
    "other",
    [
        charge(picture=b"picturf"),
        charge(picture=b""),
        charge(changed(output=OutputOptions(format=WEBP))),
        charge(changed(output=OutputOptions(kind=images_pb2.OUTPUT_KIND_MASK))),
        charge(changed(model="other")),
        charge(EditRequest(composition=Composition(color=Color(red=1)), output=OutputOptions(format=PNG))),
    ],
)
def test_another_result_is_another_digest(other: Charge) -> None:
    assert len(other.digest) == 32
    assert other.digest != charge().digest


def test_what_does_not_change_the_result_does_not_change_the_digest() -> None:
    one = charge(PLAIN, host="a.example")
    other = charge(changed(image=b"ignored", max_pixels=5), host="b.example:8080", query="?format=png&x=1")
    assert one.digest == other.digest


def test_a_charge_says_what_is_sold() -> None:
    sold = charge(changed(output=OutputOptions(format=WEBP)), host="A.example:8080", query="?format=webp")
    assert (sold.operation, sold.amount, sold.description) == ("remove-background", 50_000, "One picture")
    assert sold.resource == "http://a.example:8080/v1/remove-background"
    assert (sold.content_type, sold.body) == ("image/webp", b"picture")


@pytest.mark.parametrize(("form", "media_type"), [(PNG, "image/png"), (WEBP, "image/webp"), (JPEG, "image/jpeg")])
def test_every_format_has_its_media_type(form: images_pb2.ImageFormat.ValueType, media_type: str) -> None:
    assert charge(changed(output=OutputOptions(format=form))).content_type == media_type

"""The table of the public image operations: path → form fields → composition. A new operation is one row."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from clearcanvas.v1.composition_pb2 import Composition, NoBackground
from clearcanvas.v1.images_pb2 import EditRequest

from adapter.options.colors import WHITE, parse_color
from adapter.options.fields import Fields
from adapter.options.formats import read_output
from adapter.uploads.form import Form

# The paid operation, as the price table names it.
REMOVE_BACKGROUND: Literal["remove-background"] = "remove-background"

# 2048 × 2048: the most that the synchronous operations take, by their public contract.
MAX_PIXELS = 4_194_304

_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Operation:
    """One public endpoint: where it is, and what its fields make of the picture."""

    path: str
    compose: Callable[[Fields], Composition]
    summary: str
    fields: Mapping[str, str] = field(default_factory=dict)
    """What its own fields mean, by their first names; for those who read the API's description."""
    max_pixels: int = MAX_PIXELS
    """Most width × height that is taken; 0 leaves it to the image service."""


OPERATIONS = (
    Operation("/image/matte/v1", lambda _: Composition(none=NoBackground()), "Cut the subject out."),
    Operation(
        "/image/color/v1",
        lambda fields: Composition(color=fields.take(parse_color, "bgcolor", "bg_color", "color", default=WHITE)),
        "Lay the subject over a colour.",
        {"bgcolor": "r,g,b or r,g,b,a (0 to 255), #rgb, #rrggbb, #rrggbbaa or a CSS name; white without it."},
    ),
)

PAID = Operation(
    "/v1/remove-background",
    lambda _: Composition(none=NoBackground()),
    "Background removal for one picture",
    max_pixels=0,
)


def build_request(operation: Operation, form: Form, accept: str) -> EditRequest:
    """Translates a form into the service's request.

    Raises:
        InvalidFieldsError: The image is missing or a known field is malformed.
    """
    fields = Fields(form.fields)
    composition = operation.compose(fields)
    output = read_output(fields, accept, opaque=_is_opaque(composition))
    model = fields.take(_parse_model, "model", default="")
    if not form.image:
        fields.reject("image", "is required")
    fields.check()
    return EditRequest(
        image=form.image, composition=composition, output=output, model=model, max_pixels=operation.max_pixels
    )


def _is_opaque(composition: Composition) -> bool:
    return composition.WhichOneof("background") == "color" and composition.color.alpha == 255


def _parse_model(text: str) -> str:
    if not _MODEL_NAME.fullmatch(text):
        message = "must be a model's name: 1 to 64 letters, digits, dots, dashes or underscores"
        raise ValueError(message)
    return text

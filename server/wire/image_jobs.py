"""`SubmitImageRequest`: the edit as it is kept in a job, and the facts of its result."""

from collections.abc import Mapping
from typing import Any

from clearcanvas.v1 import images_pb2
from google.protobuf.json_format import MessageToDict, ParseDict

from server.composition import Generated
from server.edit import EditResult
from server.wire.messages import EditCall, read_edit_call, write_header


def write_image_spec(edit: images_pb2.EditRequest, call: EditCall) -> dict[str, Any]:
    """The edit, without its pictures, as JSON can say it. Every attempt at it makes the same.

    `edit`: what `call` was read from; its pictures are taken out of it.
    """
    edit.ClearField("image")
    if edit.composition.WhichOneof("background") == "picture":
        edit.composition.picture.ClearField("image")
    edit.max_pixels = call.task.max_pixels
    background = call.task.composition.background
    if isinstance(background, Generated):
        edit.composition.generated.seed = background.seed  # Chosen by chance where the caller gave none.
    return {"edit": MessageToDict(edit)}


def read_image_spec(spec: Mapping[str, Any]) -> EditCall:
    """What `write_image_spec` wrote, also an older server. Raises as `read_edit_request`."""
    edit = ParseDict(spec["edit"], images_pb2.EditRequest(), ignore_unknown_fields=True)
    return read_edit_call(edit, edit.max_pixels)


def write_image_facts(result: EditResult, queue_s: float) -> dict[str, Any]:
    """The facts of a picture, as JSON can say them. `queue_s`: seconds in which no worker was at it."""
    return {"image": MessageToDict(write_header(result, queue_s).header)}


def read_image_facts(facts: Mapping[str, Any]) -> images_pb2.EditHeader:
    """What `write_image_facts` wrote."""
    return ParseDict(facts["image"], images_pb2.EditHeader(), ignore_unknown_fields=True)

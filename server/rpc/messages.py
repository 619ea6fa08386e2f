"""Wire messages to the service's own values, and back."""

import re
from dataclasses import dataclass

from clearcanvas.v1 import composition_pb2, images_pb2

from server.composition import Background, Color, Composition, ImageFormat, NoBackground, Output, OutputKind
from server.edit import EditResult, EditTask
from server.errors import InvalidImageError, InvalidParameterError, PayloadTooLargeError
from server.image.header import ImageHeader

MAX_IMAGE_BYTES = 25 * 1024 * 1024
SIGNATURE_BYTES = 16  # All formats are told apart by these.
MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

_FORMATS = {
    images_pb2.IMAGE_FORMAT_UNSPECIFIED: ImageFormat.PNG,
    images_pb2.IMAGE_FORMAT_PNG: ImageFormat.PNG,
    images_pb2.IMAGE_FORMAT_WEBP: ImageFormat.WEBP,
    images_pb2.IMAGE_FORMAT_JPEG: ImageFormat.JPEG,
}
_FORMAT_CODES = {
    ImageFormat.PNG: images_pb2.IMAGE_FORMAT_PNG,
    ImageFormat.WEBP: images_pb2.IMAGE_FORMAT_WEBP,
    ImageFormat.JPEG: images_pb2.IMAGE_FORMAT_JPEG,
}
_KINDS = {
    images_pb2.OUTPUT_KIND_UNSPECIFIED: OutputKind.PICTURE,
    images_pb2.OUTPUT_KIND_PICTURE: OutputKind.PICTURE,
    images_pb2.OUTPUT_KIND_MASK: OutputKind.MASK,
}


@dataclass(frozen=True)
class EditCall:
    """A valid EditRequest, but for its picture."""

    task: EditTask
    model: str  # empty means the default


def read_edit_request(request: images_pb2.EditRequest, max_pixels: int) -> tuple[bytes, EditCall]:
    """The encoded picture, and all the rest validated. `max_pixels`: the server's limit, which a caller may lower.

    Raises `InvalidImageError` for an empty picture, `PayloadTooLargeError` over 25 MiB, `InvalidParameterError`
    with the field's name for all else.
    """
    image = request.image
    _check_size(image, len(image))
    if request.model and not MODEL_NAME.fullmatch(request.model):
        raise InvalidParameterError("That is not the name of a model.", {"field": "model"})
    composition = Composition(_background(request.composition))
    limit = _lower(max_pixels, request.max_pixels)
    return image, EditCall(EditTask(composition, _output(request.output), limit), request.model)


def read_inspect_request(request: images_pb2.InspectRequest, max_pixels: int) -> tuple[bytes, int, int]:
    """The picture's first bytes, its whole size in bytes, and the most pixels that are taken.

    Raises `InvalidImageError` for an empty prefix, `PayloadTooLargeError` for a size over 25 MiB,
    `InvalidParameterError` for a size below the prefix's, and for a prefix too short to tell a format.
    """
    _check_size(request.prefix, request.total_size)
    if request.total_size < len(request.prefix):
        raise InvalidParameterError("The picture is smaller than its prefix.", {"field": "total_size"})
    if len(request.prefix) < min(SIGNATURE_BYTES, request.total_size):
        raise InvalidParameterError(f"The prefix has fewer than {SIGNATURE_BYTES} bytes.", {"field": "prefix"})
    return request.prefix, request.total_size, _lower(max_pixels, request.max_pixels)


def write_facts(header: ImageHeader) -> images_pb2.InspectResponse:
    """What a whole header says."""
    form = _FORMAT_CODES[header.format]
    facts = images_pb2.PictureFacts(format=form, width=header.width, height=header.height)
    return images_pb2.InspectResponse(facts=facts)


def _check_size(start: bytes, size: int) -> None:
    if not start:
        raise InvalidImageError("The request holds no picture.")
    if size > MAX_IMAGE_BYTES:
        raise PayloadTooLargeError("The picture is larger than 25 MiB.", {"limit": str(MAX_IMAGE_BYTES)})


def _lower(limit: int, asked: int) -> int:
    """The server's limit, or the caller's where it is lower; 0 asks for none."""
    return min(asked or limit, limit)


def _background(composition: composition_pb2.Composition) -> Background:
    match composition.WhichOneof("background"):
        case "color":
            color = composition.color
            alpha = color.alpha if color.HasField("alpha") else 255
            return Color(color.red, color.green, color.blue, alpha)
        case _:
            return NoBackground()


def _output(output: images_pb2.OutputOptions) -> Output:
    if output.format not in _FORMATS:
        raise InvalidParameterError("That format is not known.", {"field": "output.format"})
    if output.kind not in _KINDS:
        raise InvalidParameterError("That kind of output is not known.", {"field": "output.kind"})
    return Output(_FORMATS[output.format], _KINDS[output.kind])


def write_header(result: EditResult, queue_s: float) -> images_pb2.EditResponse:
    """The first message of an answer. `queue_s`: seconds the request waited for a worker."""
    box = result.foreground
    return images_pb2.EditResponse(
        header=images_pb2.EditHeader(
            content_type=result.content_type,
            size=result.size,
            width=result.width,
            height=result.height,
            model=result.model,
            device=result.device,
            foreground=images_pb2.ForegroundBox(top=box.top, left=box.left, width=box.width, height=box.height),
            stages=[
                images_pb2.StageTime(name=name, seconds=seconds)
                for name, seconds in (("queue", queue_s), *result.stages)
            ],
        )
    )

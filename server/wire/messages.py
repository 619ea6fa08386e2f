"""Wire messages to the service's own values, and back."""

from dataclasses import dataclass

from clearcanvas.v1 import composition_pb2, images_pb2

from cards.target import parse_target
from server.composition import Composition, Picture
from server.edit import EditResult, EditTask
from server.errors import InvalidImageError, InvalidParameterError, PayloadTooLargeError, PixelsExceededError
from server.image.header import ImageHeader
from server.output import Canvas, ImageFormat, Output, SubjectSource
from server.wire.choices import known
from server.wire.compositions import read_composition
from server.wire.outputs import read_output, read_region

MAX_IMAGE_BYTES = 25 * 1024 * 1024
SIGNATURE_BYTES = 16  # All formats are told apart by these.

_FORMAT_CODES = {
    ImageFormat.PNG: images_pb2.IMAGE_FORMAT_PNG,
    ImageFormat.WEBP: images_pb2.IMAGE_FORMAT_WEBP,
    ImageFormat.JPEG: images_pb2.IMAGE_FORMAT_JPEG,
}
_SUBJECTS = {
    images_pb2.SUBJECT_SOURCE_UNSPECIFIED: SubjectSource.MODEL,
    images_pb2.SUBJECT_SOURCE_MODEL: SubjectSource.MODEL,
    images_pb2.SUBJECT_SOURCE_OWN_ALPHA: SubjectSource.OWN_ALPHA,
}


@dataclass(frozen=True)
class EditCall:
    """A valid EditRequest, but for its pictures."""

    task: EditTask
    model: str  # empty means the default


@dataclass(frozen=True)
class Pictures:
    """The encoded pictures of a request. `background` is empty where none is laid behind."""

    image: bytes
    background: bytes


def read_edit_request(request: images_pb2.EditRequest, max_pixels: int) -> tuple[Pictures, EditCall]:
    """The encoded pictures, and all the rest validated. `max_pixels`: the server's limit, which a caller may lower.

    Raises `InvalidImageError` for an empty picture, `PayloadTooLargeError` over 25 MiB, `PixelsExceededError` for a
    result that is too large, `InvalidParameterError` with the field's name for all else.
    """
    _check_size(request.image, len(request.image))
    call = read_edit_call(request, max_pixels)
    background = read_background_picture(request.composition, call.task.composition)
    return Pictures(request.image, background), call


def read_edit_call(request: images_pb2.EditRequest, max_pixels: int) -> EditCall:
    """All but the pictures. Raises as `read_edit_request`."""
    check_model_name(request.model)
    limit = _lower(max_pixels, request.max_pixels)
    output = read_output(request.output)
    _check_result(output, limit)
    subject = known(_SUBJECTS, request.subject, "subject")
    region = read_region(request.region) if request.HasField("region") else None
    return EditCall(EditTask(read_composition(request.composition), output, limit, subject, region), request.model)


def read_background_picture(sent: composition_pb2.Composition, composition: Composition) -> bytes:
    """The encoded picture that is laid behind, empty where none is. Raises as `read_edit_request`."""
    if not isinstance(composition.background, Picture):
        return b""
    _check_size(sent.picture.image, len(sent.picture.image))
    return sent.picture.image


def check_model_name(name: str) -> None:
    """Raise `InvalidParameterError` for what is neither NAME nor NAME@VERSION; empty means the default."""
    if not name:
        return
    try:
        parse_target(name)
    except ValueError:
        raise InvalidParameterError("That is not the name of a model.", {"field": "model"}) from None


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


def _check_result(output: Output, max_pixels: int) -> None:
    if isinstance(output.size, Canvas) and output.size.width * output.size.height > max_pixels:
        raise PixelsExceededError(
            f"The result would have more than {max_pixels} pixels.", {"max_pixels": str(max_pixels)}
        )


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
            model_version=result.model_version,
            device=result.device,
            foreground=images_pb2.ForegroundBox(top=box.top, left=box.left, width=box.width, height=box.height),
            stages=[
                images_pb2.StageTime(name=name, seconds=seconds)
                for name, seconds in (("queue", queue_s), *result.stages)
            ],
            generation=_generation(result),
        )
    )


def _generation(result: EditResult) -> images_pb2.Generation | None:
    made = result.generation
    if made is None:
        return None
    return images_pb2.Generation(model=made.model, device=made.device, method=made.method, seed=made.seed)

"""Judges encoded pictures by their headers, before anything is decoded."""

from server.edit import EditTask
from server.errors import InvalidRequestError, PixelsExceededError
from server.image.cost import estimated_cost
from server.image.header import ImageHeader, read_header
from server.wire.messages import Pictures


def cost_of(pictures: Pictures, task: EditTask) -> int:
    """The bytes of memory that an edit takes. Raises what `read_header` does, and PixelsExceededError."""
    header = judge_picture(pictures.image, task.max_pixels)
    behind = judge_background(pictures.background, task.max_pixels) if pictures.background else None
    cost = estimated_cost(header, task.output, task.composition, max_pixels=task.max_pixels, behind=behind)
    return cost + len(pictures.image) + len(pictures.background)


def judge_picture(picture: bytes, max_pixels: int) -> ImageHeader:
    """The picture's header. Raises what `read_header` does, and PixelsExceededError."""
    header = read_header(picture)
    check_pixels(header, max_pixels)
    return header


def judge_background(picture: bytes, max_pixels: int) -> ImageHeader:
    """The same of a picture that is laid behind; the error says so."""
    try:
        return judge_picture(picture, max_pixels)
    except InvalidRequestError as error:
        metadata = {**error.metadata, "field": "picture.image"}
        raise type(error)(f"In the background: {error.message}", metadata) from error


def check_pixels(header: ImageHeader, max_pixels: int) -> None:
    """Raise PixelsExceededError."""
    pixels = header.width * header.height
    if pixels > max_pixels:
        raise PixelsExceededError(
            f"The picture has {pixels} pixels, more than {max_pixels}.", {"limit": str(max_pixels)}
        )

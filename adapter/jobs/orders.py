"""What the forms of jobs ask for: an edit of a large picture, or a video with the same choice of backgrounds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from clearcanvas.v1 import videos_pb2
from clearcanvas.v1.composition_pb2 import Color, Composition, NoBackground
from clearcanvas.v1.jobs_pb2 import VideoOrder

from adapter.errors import DownloadError, InvalidFieldsError, InvalidPictureError, NotAVideoError, VideoColorError
from adapter.operations import BACKGROUND, IMAGE, OPERATIONS, Operation, Order, choose_background, read_order
from adapter.options.backgrounds import BG_IMAGE_URL, BGCOLOR, BOTTOM_COLOR, RADIUS, TOP_COLOR
from adapter.options.fields import Fields
from adapter.options.formats import is_opaque
from adapter.options.generation import MODEL, PROMPT
from adapter.options.jobs import MATTING, VIDEO_FORMAT, WEBHOOK_URL
from adapter.options.option import Option, choice
from adapter.options.shadows import SHADOW, cast_shadow
from adapter.uploads.form import Form

VIDEO = "video"
"""Its name among the operations that a key allows, and its field."""
VIDEO_FIELDS = (VIDEO, "file")

_ROWS: Mapping[str, Operation] = {row.name: row for row in OPERATIONS}
_CUT_OUT = _ROWS["matte"]

OPERATION = choice(
    "operation", _ROWS, "matte", "What is laid behind the subject; it takes the fields of that operation."
)

# Without `operation`, the field that is sent says what is meant: a colour before all else, an address after all else.
_MEANT: tuple[tuple[Option[Any], str], ...] = (
    (BGCOLOR, "color"),
    (TOP_COLOR, "gradient"),
    (BOTTOM_COLOR, "gradient"),
    (PROMPT, "generate"),
    (RADIUS, "blur"),
    (BG_IMAGE_URL, "picture"),
)
_CHANNEL = r"\s*(25[0-5]|2[0-4]\d|1\d\d|0*\d{1,2})\s*"
_PUBLISHED_COLOR = re.compile(rf"{_CHANNEL},{_CHANNEL},{_CHANNEL}", re.ASCII)

# ISO-BMFF (mp4, mov), EBML (webm, mkv), and others that the service refuses with a sentence of its own.
_SIGNATURE = re.compile(
    rb"....(ftyp|moov|mdat|free|skip|wide|pnot)"
    rb"|\x1a\x45\xdf\xa3"
    rb"|RIFF....AVI "
    rb"|FLV\x01"
    rb"|OggS"
    rb"|\x00\x00\x01[\xb3\xba]"  # MPEG
    rb"|\x30\x26\xb2\x75\x8e\x66\xcf\x11"  # ASF
    rb"|\x47",  # MPEG transport stream
    re.DOTALL,
)


@dataclass(frozen=True)
class ImageJob:
    """A large picture, but for a background that is still to be fetched."""

    operation: Operation
    order: Order
    webhook_url: str


@dataclass(frozen=True)
class VideoJob:
    """What to make of a video, but for a background that is still to be fetched; empty where nothing is."""

    order: VideoOrder
    webhook_url: str
    background_url: str


def read_image_job(form: Form, accept: str) -> ImageJob:
    """Translates a form; takes the files out of it, which are large.

    Raises:
        InvalidFieldsError: A needed field is missing, or a known one is malformed.
        InvalidPictureError: The picture is an empty file.
    """
    fields = Fields(form.fields)
    operation, webhook_url = fields.take(OPERATION), fields.take(WEBHOOK_URL)
    fields.check()
    if form.files.get(IMAGE) == b"":
        message = "The picture is empty."
        raise InvalidPictureError(message)
    order = read_order(replace(operation, max_pixels=0), form, accept)  # 0: as large as the service takes.
    return ImageJob(operation, order, webhook_url)


def read_video_job(form: Form) -> VideoJob:
    """Translates the fields that came with a video; takes the background out of the form.

    Raises:
        VideoColorError: `bg_color` is not as it is published.
        DownloadError: `bg_image_url` is no address.
        InvalidFieldsError: Another field is missing or malformed.
    """
    fields = Fields(form.fields)
    background = form.files.pop(BACKGROUND, b"")
    row = _choose_row(fields, has_background=bool(background))
    composition = _compose(row, fields)
    url = choose_background(fields, background) if BACKGROUND in row.files else ""
    if background and BACKGROUND in row.files:
        composition.picture.image = background
    order = VideoOrder(
        composition=composition,
        format=fields.take(VIDEO_FORMAT),
        matting=fields.take(MATTING),
        model=fields.take(MODEL),
    )
    if order.format == videos_pb2.VIDEO_FORMAT_MP4 and not is_opaque(composition):
        fields.reject(VIDEO_FORMAT.name, "mp4 has no transparency: use webm, webp or zip, or an opaque background")
    webhook_url = fields.take(WEBHOOK_URL)
    try:
        fields.check()
    except InvalidFieldsError as error:
        if BG_IMAGE_URL.name in error.fields and not background:
            raise DownloadError from error  # As it is published: what is no address cannot be downloaded.
        raise
    return VideoJob(order, webhook_url, url)


def stand_in(composition: Composition) -> None:
    """Puts something opaque where a background is still to be fetched, so that all else can be judged."""
    composition.color.CopyFrom(Color(red=255, green=255, blue=255))


def judge_video(content_type: str, head: bytes) -> None:
    """Raises NotAVideoError for what neither begins as a video does nor says that it is one.

    What only says so is for the service, which can tell what is wrong with it.
    """
    if not head or not (content_type.startswith("video/") or _SIGNATURE.match(head)):
        raise NotAVideoError


def _choose_row(fields: Fields, *, has_background: bool) -> Operation:
    if fields.sent_name(OPERATION) is not None:
        return fields.take(OPERATION)
    sent = next((name for option, name in _MEANT if fields.sent_name(option) is not None), None)
    if has_background and sent in {None, "picture"}:
        return _ROWS["picture"]
    return _ROWS[sent] if sent is not None else _CUT_OUT


def _compose(row: Operation, fields: Fields) -> Composition:
    if BGCOLOR in row.own_options and fields.sent_name(BGCOLOR) == "bg_color":
        _check_published_color(fields)
    if row is _CUT_OUT:  # Here a shadow goes with every background, with none too.
        return cast_shadow(fields, Composition(none=NoBackground()), SHADOW)
    return row.compose(fields)


def _check_published_color(fields: Fields) -> None:
    """Under this name, the public contract has one spelling; `bgcolor` and `color` take all."""
    if not _PUBLISHED_COLOR.fullmatch(fields.text("bg_color")):
        raise VideoColorError

"""The table of the public image operations: path → form fields → composition. A new operation is one row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from clearcanvas.v1 import images_pb2
from clearcanvas.v1.composition_pb2 import Composition, NoBackground
from clearcanvas.v1.images_pb2 import EditRequest, SubjectSource

from adapter.fetching.fetcher import Fetcher
from adapter.options import backgrounds, shadows
from adapter.options.backgrounds import read_blur, read_color, read_gradient, read_picture
from adapter.options.fields import Fields
from adapter.options.formats import FORMAT, OUTPUT, is_opaque, read_output
from adapter.options.generation import GENERATION, MODEL, read_generated
from adapter.options.geometry import GEOMETRY, read_geometry
from adapter.options.option import Option
from adapter.options.shadows import MODE, SHADOW, cast_shadow
from adapter.uploads.budget import Reservation
from adapter.uploads.form import Form

# The paid operation, as the price table names it.
REMOVE_BACKGROUND: Literal["remove-background"] = "remove-background"

# 2048 × 2048: the most that the synchronous operations take, by their public contract.
MAX_PIXELS = 4_194_304

IMAGE, BACKGROUND = "image", "background"

OUTPUT_OPTIONS: tuple[Option[Any], ...] = (FORMAT, OUTPUT, *GEOMETRY, MODEL)
"""What every operation knows."""
_SHADOW: tuple[Option[Any], ...] = (SHADOW, *shadows.LOOKS)


@dataclass(frozen=True)
class Operation:
    """One public endpoint: where it is, and what its fields make of the picture."""

    name: str
    """As keys and prices know it."""
    path: str
    summary: str
    compose: Callable[[Fields], Composition]
    own_options: tuple[Option[Any], ...] = ()
    """Those that `compose` reads."""
    files: Mapping[str, str] = field(default_factory=lambda: {IMAGE: "The picture: PNG, JPEG or WebP."})
    """The fields that hold pictures, and what each is; the first is required."""
    subject: SubjectSource.ValueType = images_pb2.SUBJECT_SOURCE_UNSPECIFIED
    max_pixels: int = MAX_PIXELS
    """Most width × height that is taken, and made; 0 leaves it to the image service."""

    @property
    def options(self) -> tuple[Option[Any], ...]:
        """Everything that the caller may choose."""
        return (*self.own_options, *OUTPUT_OPTIONS)


@dataclass(frozen=True)
class Order:
    """What a form asks for: the edit, and where its background is to be fetched from; empty where nothing is."""

    edit: EditRequest
    background_url: str = ""


def _matte(_: Fields) -> Composition:
    return Composition(none=NoBackground())


def _blur(fields: Fields) -> Composition:
    return cast_shadow(fields, Composition(blur=read_blur(fields)), SHADOW)


def _color(fields: Fields) -> Composition:
    return cast_shadow(fields, Composition(color=read_color(fields)), SHADOW)


def _gradient(fields: Fields) -> Composition:
    return cast_shadow(fields, Composition(gradient=read_gradient(fields)), SHADOW)


def _shadow(fields: Fields) -> Composition:
    return cast_shadow(fields, Composition(none=NoBackground()), MODE)


def _picture(fields: Fields) -> Composition:
    return cast_shadow(fields, Composition(picture=read_picture(fields)), SHADOW)


def _generate(fields: Fields) -> Composition:
    return cast_shadow(fields, Composition(generated=read_generated(fields)), SHADOW)


OPERATIONS = (
    Operation("matte", "/image/matte/v1", "Cut the subject out.", _matte),
    Operation("blur", "/image/blur/v1", "Blur the background.", _blur, (*backgrounds.BLUR, *_SHADOW)),
    Operation("color", "/image/color/v1", "Lay the subject over a color.", _color, (backgrounds.BGCOLOR, *_SHADOW)),
    Operation(
        "gradient",
        "/image/gradient/v1",
        "Lay the subject over a gradient.",
        _gradient,
        (*backgrounds.GRADIENT, *_SHADOW),
    ),
    Operation(
        "shadow", "/image/shadow/v1", "Cut the subject out and give it a shadow.", _shadow, (MODE, *shadows.LOOKS)
    ),
    Operation(
        "generate",
        "/image/generate/v1",
        "Paint a background behind a subject that is cut out already.",
        _generate,
        (*GENERATION, *_SHADOW),
        files={IMAGE: "The subject on transparency: PNG or WebP."},
        subject=images_pb2.SUBJECT_SOURCE_OWN_ALPHA,
    ),
    Operation(
        "picture",
        "/image/picture/v1",
        "Lay the subject over another picture.",
        _picture,
        (*backgrounds.PICTURE, *_SHADOW),
        files={IMAGE: "The picture: PNG, JPEG or WebP.", BACKGROUND: "The background: PNG, JPEG or WebP."},
    ),
)

PAID = Operation(REMOVE_BACKGROUND, "/v1/remove-background", "Background removal for one picture", _matte, max_pixels=0)


def read_order(operation: Operation, form: Form, accept: str) -> Order:
    """Translates a form into the service's request; takes the files out of the form, which are large.

    Raises:
        InvalidFieldsError: The image or a needed field is missing, or a known field is malformed.
    """
    fields = Fields(form.fields)
    composition = operation.compose(fields)
    output = read_output(fields, accept, opaque=is_opaque(composition))
    read_geometry(fields, output)
    model = fields.take(MODEL)
    image = form.files.pop(IMAGE, b"")
    if not image:
        fields.reject(IMAGE, "is required")
    background = form.files.pop(BACKGROUND, b"") if BACKGROUND in operation.files else b""
    url = choose_background(fields, background) if BACKGROUND in operation.files else ""
    fields.check()
    if background:
        composition.picture.image = background
    edit = EditRequest(
        image=image,
        composition=composition,
        output=output,
        model=model,
        max_pixels=operation.max_pixels,
        subject=operation.subject,
    )
    return Order(edit, url)


async def fetch_background(composition: Composition, url: str, fetcher: Fetcher, reservation: Reservation) -> None:
    """Completes a composition with the background at `url`, if there is one; its bytes count in `reservation`.

    Raises:
        DownloadError: It cannot be had.
        NotAPictureError: It is no picture.
    """
    if url:
        composition.picture.image = await fetcher.fetch(url, reservation)


def choose_background(fields: Fields, background: bytes) -> str:
    """The URL where one is to be used; a mistake where there is no background, or two."""
    url = fields.take(backgrounds.BG_IMAGE_URL)
    if background and url:
        fields.reject(backgrounds.BG_IMAGE_URL.name, "cannot be sent together with background")
    elif not background and fields.sent_name(backgrounds.BG_IMAGE_URL) is None:
        fields.reject(BACKGROUND, "is required, or bg_image_url in its place")
    return url

"""Which encoding the caller gets: the `format` and `output` fields, then the Accept header, then PNG."""

from clearcanvas.v1 import images_pb2
from clearcanvas.v1.composition_pb2 import Color, Composition
from clearcanvas.v1.images_pb2 import ImageFormat, OutputKind, OutputOptions

from adapter.accept import parse_accept
from adapter.options.fields import Fields
from adapter.options.option import Option, choice

# In the order of preference among what a caller likes equally well.
_MEDIA_TYPES: dict[str, ImageFormat.ValueType] = {
    "image/png": images_pb2.IMAGE_FORMAT_PNG,
    "image/webp": images_pb2.IMAGE_FORMAT_WEBP,
    "image/jpeg": images_pb2.IMAGE_FORMAT_JPEG,
}
_FORMATS: dict[str, ImageFormat.ValueType] = {
    "png": images_pb2.IMAGE_FORMAT_PNG,
    "webp": images_pb2.IMAGE_FORMAT_WEBP,
    "jpg": images_pb2.IMAGE_FORMAT_JPEG,
    "jpeg": images_pb2.IMAGE_FORMAT_JPEG,
}
_KINDS: dict[str, OutputKind.ValueType] = {
    "rgba": images_pb2.OUTPUT_KIND_PICTURE,
    "mask": images_pb2.OUTPUT_KIND_MASK,
}


def _parse_format(text: str) -> ImageFormat.ValueType:
    if text.lower() not in _FORMATS:
        message = "must be png, webp or jpg"
        raise ValueError(message)
    return _FORMATS[text.lower()]


FORMAT: Option[ImageFormat.ValueType] = Option(
    ("format",),
    _parse_format,
    images_pb2.IMAGE_FORMAT_UNSPECIFIED,
    {
        "type": "string",
        "enum": ["png", "webp", "jpg"],
        "default": "png",
        "description": "Encoding of the result; without it, the Accept header decides. jpg only for an opaque result.",
    },
)
OUTPUT = choice("output", _KINDS, "rgba", "The picture, or the subject's alpha alone as one grey channel.")


def read_output(fields: Fields, accept: str, *, opaque: bool) -> OutputOptions:
    """Chooses kind and encoding of the result.

    Args:
        fields: `output` (rgba, mask) and `format` (png, webp, jpg); mistakes are left in it.
        accept: The Accept header; it decides where `format` is not sent.
        opaque: Whether the composed picture has no transparency. JPEG is possible only then, or for a mask.
    """
    kind = fields.take(OUTPUT)
    jpeg_possible = opaque or kind == images_pb2.OUTPUT_KIND_MASK
    chosen = fields.take(FORMAT)
    if chosen == images_pb2.IMAGE_FORMAT_UNSPECIFIED:
        chosen = negotiate(accept, jpeg_possible=jpeg_possible)
    elif chosen == images_pb2.IMAGE_FORMAT_JPEG and not jpeg_possible:
        fields.reject("format", "jpg has no transparency: use png or webp, an opaque background, or output=mask")
    return OutputOptions(format=chosen, kind=kind)


def is_opaque(composition: Composition) -> bool:
    """Whether no pixel of the composed picture can be transparent: the image service's own rule."""
    match composition.WhichOneof("background"):
        case "color":
            return _is_solid(composition.color)
        case "gradient":
            return _is_solid(composition.gradient.start) and _is_solid(composition.gradient.end)
        case "picture":
            return _is_solid(composition.picture.fill)
        case "blur" | "generated":
            return True
        case _:
            return False


def negotiate(accept: str, *, jpeg_possible: bool) -> ImageFormat.ValueType:
    """Picks the encoding the caller likes best (RFC 9110 §12.5.1).

    PNG where the header is missing or names nothing that can be made: clients of this surface are
    promised a PNG whatever they accept, and the RFC allows to disregard the header then.
    """
    ranges = parse_accept(accept)
    best, best_quality = images_pb2.IMAGE_FORMAT_PNG, 0.0
    for media_type, image_format in _MEDIA_TYPES.items():
        if image_format == images_pb2.IMAGE_FORMAT_JPEG and not jpeg_possible:
            continue
        quality = next((ranges[name] for name in (media_type, "image/*", "*/*") if name in ranges), 0.0)
        if quality > best_quality:
            best, best_quality = image_format, quality
    return best


def _is_solid(color: Color) -> bool:
    return not color.HasField("alpha") or color.alpha == 255

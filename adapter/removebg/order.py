"""What a form of remove.bg's API asks of the image service."""

from dataclasses import dataclass

from clearcanvas.v1 import images_pb2
from clearcanvas.v1.composition_pb2 import Color, Composition, DropShadow, NoBackground, Picture
from clearcanvas.v1.images_pb2 import Crop, EditRequest, ImageFormat, OutputKind, OutputOptions

from adapter.options.colors import WHITE
from adapter.options.fields import Fields
from adapter.options.geometry import place
from adapter.removebg import parameters
from adapter.uploads.form import Form

_FORMATS: dict[str, ImageFormat.ValueType] = {
    "png": images_pb2.IMAGE_FORMAT_PNG,
    "jpg": images_pb2.IMAGE_FORMAT_JPEG,
    "webp": images_pb2.IMAGE_FORMAT_WEBP,
    "zip": images_pb2.IMAGE_FORMAT_JPEG,
}
_KINDS: dict[str, OutputKind.ValueType] = {
    "rgba": images_pb2.OUTPUT_KIND_PICTURE,
    "alpha": images_pb2.OUTPUT_KIND_MASK,
}
_ZIP = "is zip for the cut-out alone: leave the background, the shadow and channels=alpha out, or ask for png or webp"


@dataclass(frozen=True)
class Order:
    """A request, but for its pictures."""

    edit: EditRequest
    type_named: str
    """What the answer says of the kind of subject; empty where that was not asked for."""
    is_zip: bool
    """Whether colours and alpha are sent as a file each; `edit` is then for the colours."""


def read_order(form: Form, *, has_background: bool) -> Order:
    """Reads the parameters of `form`; `has_background` is whether it brings a picture for behind the subject.

    Raises:
        InvalidFieldsError: A parameter is malformed, or cannot go with another.
    """
    fields = Fields(form.fields)
    color, channels = fields.take(parameters.BG_COLOR), fields.take(parameters.CHANNELS)
    is_opaque = has_background or (color is not None and color.alpha == 255)
    encoding = _choose_format(fields, is_opaque=is_opaque, is_mask=channels == "alpha")
    composition = _compose(color, has_background=has_background, fills=encoding == "jpg")
    _cast_shadow(fields, composition)
    is_zip = encoding == "zip"
    if is_zip and (channels == "alpha" or composition != Composition(none=NoBackground())):
        fields.reject("format", _ZIP)
    kind = images_pb2.OUTPUT_KIND_COLOR if is_zip else _KINDS[channels]
    output = OutputOptions(format=_FORMATS[encoding], kind=kind)
    _read_geometry(fields, output, encoding)
    roi, subject, level = fields.take(parameters.ROI), fields.take(parameters.TYPE), fields.take(parameters.TYPE_LEVEL)
    fields.take(parameters.SEMITRANSPARENCY)
    fields.check()
    edit = EditRequest(composition=composition, output=output, max_pixels=parameters.MAX_INPUT_PIXELS, region=roi)
    return Order(edit, "" if level == "none" else subject.replace("auto", "other"), is_zip)


def _choose_format(fields: Fields, *, is_opaque: bool, is_mask: bool) -> str:
    chosen = fields.take(parameters.FORMAT)
    if chosen == "auto":
        return "jpg" if is_opaque and not is_mask else "png"
    return chosen


def _compose(color: Color | None, *, has_background: bool, fills: bool) -> Composition:
    """`fills`: what would be transparent has to be white, for an encoding that has no transparency."""
    if has_background:
        return Composition(picture=Picture(fill=WHITE))
    if fills:
        return Composition(color=_lay_on_white(color) if color is not None else WHITE)
    return Composition(color=color) if color is not None else Composition(none=NoBackground())


def _lay_on_white(color: Color) -> Color:
    share = color.alpha / 255
    red, green, blue = (round(value * share + 255 * (1 - share)) for value in (color.red, color.green, color.blue))
    return Color(red=red, green=green, blue=blue, alpha=255)


def _cast_shadow(fields: Fields, composition: Composition) -> None:
    """A shadow is asked for by `add_shadow`, or by naming its type."""
    wanted, kind = fields.take(parameters.ADD_SHADOW), fields.take(parameters.SHADOW_TYPE)
    opacity = fields.take(parameters.SHADOW_OPACITY)
    if kind is None or not (wanted or fields.sent_name(parameters.SHADOW_TYPE)):
        return
    match kind(color=None if opacity is None else Color(alpha=round(opacity * 255 / 100))):
        case DropShadow() as shadow:
            composition.drop_shadow.CopyFrom(shadow)
        case shadow:
            composition.contact_shadow.CopyFrom(shadow)


def _read_geometry(fields: Fields, output: OutputOptions, encoding: str) -> None:
    most = fields.take(parameters.SIZE)
    output.fit_pixels = min(most, parameters.MAX_PNG_PIXELS) if encoding == "png" else most
    margin = fields.take(parameters.CROP_MARGIN)
    if fields.take(parameters.CROP):
        output.crop.CopyFrom(Crop(margin=margin))
    scale, position = fields.take(parameters.SCALE), fields.take(parameters.POSITION)
    if scale is not None and position == "original":
        fields.reject("position", "cannot be original where scale says how large the subject is")
    elif placement := place(scale, position):
        output.placement.CopyFrom(placement)

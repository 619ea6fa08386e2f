"""`composition.proto` to the service's own values."""

import secrets

from clearcanvas.v1 import composition_pb2 as wire

from server.composition import (
    BLACK,
    SHADE,
    WHITE,
    Background,
    Blur,
    BlurKind,
    Color,
    Composition,
    ContactShadow,
    DropShadow,
    Fit,
    Generated,
    Gradient,
    GradientKind,
    NoBackground,
    Picture,
    Shadow,
)
from server.wire.choices import known

_GRADIENTS = {
    wire.GRADIENT_KIND_UNSPECIFIED: GradientKind.LINEAR,
    wire.GRADIENT_KIND_LINEAR: GradientKind.LINEAR,
    wire.GRADIENT_KIND_RADIAL: GradientKind.RADIAL,
}
_BLURS = {
    wire.BLUR_KIND_UNSPECIFIED: BlurKind.GAUSSIAN,
    wire.BLUR_KIND_GAUSSIAN: BlurKind.GAUSSIAN,
    wire.BLUR_KIND_LENS: BlurKind.LENS,
}
_FITS = {wire.FIT_UNSPECIFIED: Fit.COVER, wire.FIT_COVER: Fit.COVER, wire.FIT_CONTAIN: Fit.CONTAIN}


def read_composition(composition: wire.Composition) -> Composition:
    """The composition, but for the bytes of a picture. Raises `InvalidParameterError`, which names the field."""
    return Composition(_background(composition), _shadow(composition))


def _background(composition: wire.Composition) -> Background:
    match composition.WhichOneof("background"):
        case "color":
            return _color(composition.color)
        case "gradient":
            return _gradient(composition.gradient)
        case "blur":
            blur = composition.blur
            kind = known(_BLURS, blur.kind, "blur.kind")
            return Blur(blur.radius, kind) if blur.HasField("radius") else Blur(kind=kind)
        case "picture":
            picture = composition.picture
            fill = _color(picture.fill) if picture.HasField("fill") else WHITE
            return Picture(known(_FITS, picture.fit, "picture.fit"), fill)
        case "generated":
            return _generated(composition.generated)
        case _:
            return NoBackground()


def _color(color: wire.Color) -> Color:
    alpha = color.alpha if color.HasField("alpha") else 255
    return Color(color.red, color.green, color.blue, alpha)


def _gradient(gradient: wire.Gradient) -> Gradient:
    return Gradient(
        known(_GRADIENTS, gradient.kind, "gradient.kind"),
        _color(gradient.start) if gradient.HasField("start") else WHITE,
        _color(gradient.end) if gradient.HasField("end") else BLACK,
        gradient.angle if gradient.HasField("angle") else 180.0,
    )


def _generated(generated: wire.Generated) -> Generated:
    # 53 bits, so that the answer's number survives JavaScript.
    seed = generated.seed if generated.HasField("seed") else secrets.randbits(53)
    return Generated(generated.prompt, seed, generated.negative_prompt, generated.steps, generated.model)


def _shadow(composition: wire.Composition) -> Shadow | None:
    match composition.WhichOneof("shadow"):
        case "drop_shadow":
            return DropShadow(*_lengths(composition.drop_shadow), _shade(composition.drop_shadow))
        case "contact_shadow":
            return ContactShadow(*_lengths(composition.contact_shadow), _shade(composition.contact_shadow))
        case _:
            return None


def _lengths(shadow: wire.DropShadow | wire.ContactShadow) -> tuple[int | None, int | None, int | None]:
    return (
        shadow.offset_x if shadow.HasField("offset_x") else None,
        shadow.offset_y if shadow.HasField("offset_y") else None,
        shadow.blur_radius if shadow.HasField("blur_radius") else None,
    )


def _shade(shadow: wire.DropShadow | wire.ContactShadow) -> Color:
    return _color(shadow.color) if shadow.HasField("color") else SHADE

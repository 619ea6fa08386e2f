"""What lies behind the subject: a colour, a gradient, the picture's own background out of focus, another picture."""

from clearcanvas.v1 import composition_pb2
from clearcanvas.v1.composition_pb2 import Blur, BlurKind, Color, Fit, Gradient, GradientKind, Picture

from adapter.options.colors import BLACK, COLOR, COLOR_HELP, LOOSE_COLOR, WHITE, parse_color, parse_loose_color
from adapter.options.fields import Fields
from adapter.options.option import choice, decimal, match_whole, whole, written

_GRADIENTS: dict[str, GradientKind.ValueType] = {
    "linear": composition_pb2.GRADIENT_KIND_LINEAR,
    "radial": composition_pb2.GRADIENT_KIND_RADIAL,
}
_BLURS: dict[str, BlurKind.ValueType] = {
    "gaussian": composition_pb2.BLUR_KIND_GAUSSIAN,
    "lens": composition_pb2.BLUR_KIND_LENS,
}
_FITS: dict[str, Fit.ValueType] = {"cover": composition_pb2.FIT_COVER, "contain": composition_pb2.FIT_CONTAIN}
MAX_URL = 2_048
URL = match_whole("[hH][tT][tT][pP][sS]?://[!-~]+")
"""For machines, which write what is no ASCII in percents."""

BGCOLOR = written(
    ("bgcolor", "bg_color", "color"),
    parse_color,
    WHITE,
    f"Color of the background, white without it. {COLOR_HELP}",
    "255,0,0",
    "#ff000080",
    grammar=COLOR,
)
TOP_COLOR = written(
    ("hexColor1", "top_color"),
    parse_loose_color,
    WHITE,
    f"Color where the gradient begins, white without it. {COLOR_HELP}",
    "#ff7e5f",
    grammar=LOOSE_COLOR,
)
BOTTOM_COLOR = written(
    ("hexColor2", "bottom_color"),
    parse_loose_color,
    BLACK,
    f"Color where the gradient ends, black without it. {COLOR_HELP}",
    "#2c3e50",
    grammar=LOOSE_COLOR,
)
ANGLE = decimal("angle", -360, 360, 180, "Where a linear gradient runs to, in degrees: 0 up, 90 right, 180 down.")
GRADIENT_KIND = choice("kind", _GRADIENTS, "linear", "Along a line, or from the centre to the corners.")
RADIUS = whole("radius", 1, 100, 20, "Strength of the blur; it grows with the picture.")
BLUR_KIND = choice("kind", _BLURS, "gaussian", "Soft, or as of a wide open lens, where lights become discs.")
FIT = choice("fit", _FITS, "cover", "Fill the result and cut what stands over, or show the whole background.")


def parse_url(text: str) -> str:
    """Reads the address of a picture; whether it may be fetched is for the fetcher to say."""
    if not text.lower().startswith(("http://", "https://")) or len(text) > MAX_URL or not text.isprintable():
        message = f"must be an http or https URL of at most {MAX_URL} characters"
        raise ValueError(message)
    return text


BG_IMAGE_URL = written(
    ("bg_image_url",),
    parse_url,
    "",
    "Address of the background, in place of the file.",
    "https://example.com/beach.jpg",
    grammar={"pattern": URL, "maxLength": MAX_URL},
)
BLUR = (RADIUS, BLUR_KIND)
GRADIENT = (TOP_COLOR, BOTTOM_COLOR, ANGLE, GRADIENT_KIND)
PICTURE = (BG_IMAGE_URL, FIT, BGCOLOR)


def read_color(fields: Fields) -> Color:
    """One colour."""
    return fields.take(BGCOLOR)


def read_gradient(fields: Fields) -> Gradient:
    """A gradient of two colours."""
    start, end = fields.take(TOP_COLOR), fields.take(BOTTOM_COLOR)
    return Gradient(kind=fields.take(GRADIENT_KIND), start=start, end=end, angle=fields.take(ANGLE))


def read_blur(fields: Fields) -> Blur:
    """The picture's own background, out of focus."""
    return Blur(radius=fields.take(RADIUS), kind=fields.take(BLUR_KIND))


def read_picture(fields: Fields) -> Picture:
    """How another picture is laid behind; its bytes come by another way."""
    return Picture(fit=fields.take(FIT), fill=fields.take(BGCOLOR))

"""The parameters of remove.bg's API, as its reference spells them. A wrong one is answered as `invalid_<name>`."""

import re

from clearcanvas.v1.composition_pb2 import ContactShadow, DropShadow
from clearcanvas.v1.images_pb2 import Length, Margins, Region

from adapter.options.colors import LOOSE_COLOR, parse_loose_color
from adapter.options.geometry import POSITIONS, SCALES, parse_margins, parse_position, parse_scale, repeat_length
from adapter.options.option import choice, whole, written

# Most pixels of the result. A smaller picture is not enlarged.
SIZES = {
    "preview": 250_000,
    "small": 250_000,
    "regular": 250_000,
    "medium": 1_500_000,
    "hd": 4_000_000,
    "full": 25_000_000,
    "4k": 25_000_000,
    "auto": 25_000_000,
    "50mp": 50_000_000,
}
MAX_PNG_PIXELS = 10_000_000
"""PNG is given up to this size, the other formats up to what `size` says."""
MAX_INPUT_PIXELS = 50_000_000

_MAX_MARGIN_PX, _MAX_MARGIN_PERCENT = 500, 50
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_TYPES = (
    *("auto", "person", "product", "animal", "car", "car_interior"),
    *("car_part", "transportation", "graphic", "graphics", "other"),
)
_SHADOWS: dict[str, type[DropShadow | ContactShadow] | None] = {
    "none": None,
    "auto": ContactShadow,
    "drop": DropShadow,
    "car": ContactShadow,
    "3d": ContactShadow,
}
# For machines, with the bounds.
_PX, _FRACTION = "[pP][xX]", r"(?:\.[0-9]{1,6})?"
_COORDINATE = rf"(?:[0-9]{{1,5}}{_FRACTION}{_PX}|(?:[0-9]{{1,2}}{_FRACTION}|100(?:\.0{{1,6}})?)%)"
_ROIS = rf"{_COORDINATE}(?:\s+{_COORDINATE}){{3}}"
_MARGIN = rf"(?:(?:[0-4]?[0-9]{{1,2}}{_FRACTION}|500)(?:{_PX})?|(?:[0-4]?[0-9]{_FRACTION}|50)%)"

_LENGTH = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,6})?)(px|%)", re.IGNORECASE)


def parse_roi(text: str) -> Region:
    """Reads `x1 y1 x2 y2`, each in px or in % of the picture's side."""
    lengths = [_parse_length(part) for part in text.split()]
    if len(lengths) != 4:
        message = 'must be "x1 y1 x2 y2"'
        raise ValueError(message)
    left, top, right, bottom = lengths
    return Region(left=left, top=top, right=right, bottom=bottom)


def parse_crop_margin(text: str) -> Margins:
    """Reads 1, 2 or 4 lengths, each at most 500px or 50%."""
    margins = parse_margins(text)
    for side in (margins.top, margins.right, margins.bottom, margins.left):
        if side.pixels > _MAX_MARGIN_PX or side.percent > _MAX_MARGIN_PERCENT:
            message = f"must be at most {_MAX_MARGIN_PX}px or {_MAX_MARGIN_PERCENT}% on each side"
            raise ValueError(message)
    return margins


def _parse_length(text: str) -> Length:
    match = _LENGTH.fullmatch(text)
    if match is None or (match[2] == "%" and float(match[1]) > 100):
        message = "must have its coordinates in px, or in % of the picture's sides"
        raise ValueError(message)
    return Length(percent=float(match[1])) if match[2] == "%" else Length(pixels=float(match[1]))


def _same(*words: str) -> dict[str, str]:
    return {word: word for word in words}


SIZE = choice("size", SIZES, "preview", "Most pixels of the result.")
TYPE = choice("type", _same(*_TYPES), "auto", "What the subject is.")
TYPE_LEVEL = choice("type_level", _same("none", "1", "2", "latest"), "1", "How closely that is told.")
FORMAT = choice("format", _same("auto", "png", "jpg", "webp", "zip"), "auto", "The encoding.")
ROI = written(("roi",), parse_roi, None, "Where the subject is looked for.", grammar=_ROIS)
CROP = choice("crop", _BOOLEANS, "false", "Whether empty borders are cut off.")
CROP_MARGIN = written(
    ("crop_margin",),
    parse_crop_margin,
    None,
    "Space left around the subject where crop is true.",
    grammar=repeat_length(_MARGIN),
)
SCALE = written(("scale",), parse_scale, None, "Share of the result that the subject takes.", grammar=SCALES)
POSITION = written(("position",), parse_position, None, "Where the subject is put.", grammar=POSITIONS)
CHANNELS = choice("channels", _same("rgba", "alpha"), "rgba", "The picture, or its alpha alone.")
ADD_SHADOW = choice("add_shadow", _BOOLEANS, "false", "Whether the subject casts a shadow.")
SHADOW_TYPE = choice("shadow_type", _SHADOWS, "auto", "Which shadow it casts.")
SHADOW_OPACITY = whole("shadow_opacity", 0, 100, None, "How dark the shadow is.")
BG_COLOR = written(("bg_color",), parse_loose_color, None, "A color behind the subject.", grammar=LOOSE_COLOR)
SEMITRANSPARENCY = choice("semitransparency", _BOOLEANS, "true", "Whether glass may be half transparent; it may.")

PARAMETERS = (
    *(SIZE, TYPE, TYPE_LEVEL, FORMAT, ROI, CROP, CROP_MARGIN, SCALE, POSITION, CHANNELS),
    *(ADD_SHADOW, SHADOW_TYPE, SHADOW_OPACITY, BG_COLOR, SEMITRANSPARENCY),
)
"""All of them but the pictures."""

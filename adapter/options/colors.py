"""The colour grammar of the public forms.

`r,g,b`, `r,g,b,a`, both also in parentheses, `#rgb`, `#rgba`, `#rrggbb`, `#rrggbbaa`, and the names of CSS Color 4.
Channels are 0 to 255, sRGB; alpha 255 is opaque.
"""

import re
from collections.abc import Mapping

import webcolors
from clearcanvas.v1.composition_pb2 import Color

from adapter.options.option import Json, match_whole

WHITE = Color(red=255, green=255, blue=255, alpha=255)
BLACK = Color(red=0, green=0, blue=0, alpha=255)

COLOR_HELP = "r,g,b or r,g,b,a (0 to 255), #rgb, #rrggbb, #rrggbbaa or a CSS color name."

# The names of CSS Color 4 that webcolors, which ends at level 3 and has no alpha, does not know.
_NAMES = {"rebeccapurple": [0x66, 0x33, 0x99], "transparent": [0, 0, 0, 0]}

_DIGITS = "[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8}"
_TO_255 = r"(?:[01]?[0-9]{1,2}|2[0-4][0-9]|25[0-5])"
_LIST = rf"\s*{_TO_255}(?:\s*,\s*{_TO_255}){{2,3}}\s*"
_SPELLINGS = rf"#(?:{_DIGITS})|{_LIST}|\({_LIST}\)"

COLOR_SCHEMAS: Mapping[str, Json] = {
    name: {
        "type": "string",
        "description": COLOR_HELP,
        "anyOf": [{"pattern": match_whole(spellings)}, {"enum": sorted({*webcolors.names(), *_NAMES})}],
    }
    for name, spellings in (("Color", _SPELLINGS), ("LooseColor", f"{_SPELLINGS}|{_DIGITS}"))
}
"""The grammar for machines; the loose one is that of `parse_loose_color`."""
COLOR: Json = {"$ref": "#/components/schemas/Color"}
LOOSE_COLOR: Json = {"$ref": "#/components/schemas/LooseColor"}

_TRIPLE = re.compile(r"\(\s*(?P<inside>[^()]*?)\s*\)|(?P<bare>[^()]*)")
_CHANNEL = re.compile(r"[0-9]{1,3}")
_HEX = re.compile(r"#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)


def parse_color(text: str) -> Color:
    """Reads one colour; spaces around it and its channels do not count.

    Raises:
        ValueError: The text is none of the accepted spellings; the message says which those are.
    """
    text = text.strip()
    channels = _read_hex(text) or _read_channels(text) or _read_name(text)
    if channels is None:
        message = f"must be {COLOR_HELP.rstrip('.')}"
        raise ValueError(message)
    red, green, blue, *alpha = channels
    return Color(red=red, green=green, blue=blue, alpha=alpha[0] if alpha else 255)


def parse_loose_color(text: str) -> Color:
    """Reads one colour, hexadecimal digits also without `#`, for fields whose clients write them so.

    Raises:
        ValueError: As `parse_color`.
    """
    return parse_color(f"#{text.strip()}" if _HEX.fullmatch(f"#{text.strip()}") else text)


def _read_hex(text: str) -> list[int] | None:
    match = _HEX.fullmatch(text)
    if match is None:
        return None
    digits = match[1]
    if len(digits) <= 4:
        digits = "".join(digit * 2 for digit in digits)
    return list(bytes.fromhex(digits))


def _read_channels(text: str) -> list[int] | None:
    match = _TRIPLE.fullmatch(text)
    if match is None:
        return None
    parts = [part.strip() for part in (match["inside"] or match["bare"] or "").split(",")]
    if len(parts) not in {3, 4} or not all(_CHANNEL.fullmatch(part) for part in parts):
        return None
    channels = [int(part) for part in parts]
    return channels if max(channels) <= 255 else None


def _read_name(text: str) -> list[int] | None:
    try:
        return _NAMES.get(text.lower()) or list(webcolors.name_to_rgb(text))
    except ValueError:
        return None

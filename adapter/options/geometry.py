"""How the result is cut, sized and placed: `crop`, `crop_margin`, `size`, `scale`, `position`."""

import re
from typing import Literal

from clearcanvas.v1.images_pb2 import Canvas, Crop, Length, Margins, OutputOptions, Placement

from adapter.options.fields import Fields
from adapter.options.option import choice, written

MAX_SIDE = 10_000
MAX_MARGIN_PERCENT = 500
MIN_SCALE_PERCENT = 10

Position = tuple[float, float] | Literal["original"]

_NUMBER = r"[0-9]{1,5}(?:\.[0-9]{0,6})?"
_LENGTH = re.compile(rf"({_NUMBER})(px|%)?", re.IGNORECASE)
_PERCENT = re.compile(rf"({_NUMBER})%")
_CANVAS = re.compile(r"([0-9]{1,5})\s*[x×]\s*([0-9]{1,5})", re.IGNORECASE)
_SIDE = re.compile(r"[0-9]{1,5}")

# The same for machines, with the bounds.
_FRACTION = r"(?:\.[0-9]{0,6})?"
_SHARE = rf"(?:[0-9]{{1,2}}{_FRACTION}|100(?:\.0{{0,6}})?)%"
_TO_MAX_SIDE = r"(?:[1-9][0-9]{0,3}|10000)"
_SIZES = rf"{_TO_MAX_SIDE}(?:\s*[xX×]\s*{_TO_MAX_SIDE})?"
SCALES = rf"[oO]riginal|[1-9][0-9]{_FRACTION}%|100(?:\.0{{0,6}})?%"
POSITIONS = rf"[cC]enter|[oO]riginal|{_SHARE}(?:\s+{_SHARE})?"
_PIXELS = rf"(?:[0-9]{{1,4}}{_FRACTION}|10000(?:\.0{{0,6}})?)(?:[pP][xX])?"
_PERCENTS = rf"(?:[0-4]?[0-9]{{1,2}}{_FRACTION}|500(?:\.0{{0,6}})?)%"

_BOX_HELP = f"px or % of the subject's box; at most {MAX_SIDE}px, {MAX_MARGIN_PERCENT}%"


def parse_margins(text: str) -> Margins:
    """Reads 1, 2 or 4 lengths as CSS does: all sides; above and below, left and right; top, right, bottom, left."""
    lengths = [_parse_length(part) for part in text.split()]
    if len(lengths) not in {1, 2, 4}:
        message = f"must be 1, 2 or 4 lengths, in {_BOX_HELP}"
        raise ValueError(message)
    top, right, bottom, left = {1: lengths * 4, 2: lengths * 2, 4: lengths}[len(lengths)]
    return Margins(top=top, right=right, bottom=bottom, left=left)


def parse_size(text: str) -> int | Canvas:
    """Reads the longer side, or width × height, in pixels."""
    if match := _CANVAS.fullmatch(text):
        width, height = int(match[1]), int(match[2])
        if 1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE:
            return Canvas(width=width, height=height)
    elif _SIDE.fullmatch(text) and 1 <= int(text) <= MAX_SIDE:
        return int(text)
    message = f"must be the longer side in pixels, or WIDTHxHEIGHT, each 1 to {MAX_SIDE}"
    raise ValueError(message)


def parse_scale(text: str) -> float | None:
    """Reads a share of the result, 0.1 to 1; None for `original`, the size it has."""
    if text.lower() == "original":
        return None
    match = _PERCENT.fullmatch(text)
    if match is None or not MIN_SCALE_PERCENT <= float(match[1]) <= 100:
        message = f"must be {MIN_SCALE_PERCENT}% to 100%, or original"
        raise ValueError(message)
    return float(match[1]) / 100


def parse_position(text: str) -> Position:
    """Reads where the subject is put: `center`, `original`, one share for both axes, or two; shares of 0 to 1."""
    if text.lower() == "original":
        return "original"
    if text.lower() == "center":
        return 0.5, 0.5
    shares = [float(match[1]) / 100 for match in map(_PERCENT.fullmatch, text.split()) if match]
    if len(shares) != len(text.split()) or len(shares) not in {1, 2} or max(shares) > 1:
        message = "must be center, original, or one or two of 0% to 100% (across, then down)"
        raise ValueError(message)
    return shares[0], shares[-1]


def repeat_length(length: str) -> str:
    """The grammar of 1, 2 or 4 lengths, which are each written as `length`."""
    return rf"{length}(?:\s+{length}(?:\s+{length}\s+{length})?)?"


CROP = choice("crop", {"true": True, "false": False}, "false", "Whether the result is cut to the subject.")
CROP_MARGIN = written(
    ("crop_margin",),
    parse_margins,
    None,
    f"Space left around the subject where crop is true: 1, 2 or 4 lengths as in CSS, in {_BOX_HELP}.",
    "20px",
    "10%",
    "10% 20px",
    grammar=repeat_length(f"(?:{_PIXELS}|{_PERCENTS})"),
)
SIZE = written(
    ("size",),
    parse_size,
    None,
    f"Longer side of the result in pixels (a smaller picture is not enlarged), or exactly WIDTHxHEIGHT; to {MAX_SIDE}.",
    "1024",
    "800x600",
    grammar=_SIZES,
)
SCALE = written(
    ("scale",),
    parse_scale,
    None,
    f"Share of the result that the subject takes, {MIN_SCALE_PERCENT}% to 100%, or original. It is centered then.",
    "80%",
    grammar=SCALES,
)
POSITION = written(
    ("position",),
    parse_position,
    None,
    "Where the subject is put: center, original, or shares across and down, 0% to 100%.",
    "center",
    "30% 70%",
    grammar=POSITIONS,
)
GEOMETRY = (CROP, CROP_MARGIN, SIZE, SCALE, POSITION)


def read_geometry(fields: Fields, output: OutputOptions) -> None:
    """Sets cut, size and placement of `output`; mistakes are left in `fields`."""
    margins = fields.take(CROP_MARGIN)
    if fields.take(CROP):
        output.crop.CopyFrom(Crop(margin=margins))
    size = fields.take(SIZE)
    if isinstance(size, Canvas):
        output.canvas.CopyFrom(size)
    elif size is not None:
        output.longest_side = size
    scale, position = fields.take(SCALE), fields.take(POSITION)
    if scale is not None and position == "original":
        fields.reject("position", "cannot be original where scale says how large the subject is")
        return
    if placement := place(scale, position):
        output.placement.CopyFrom(placement)


def place(scale: float | None, position: Position | None) -> Placement | None:
    """The placement of what `parse_scale` and `parse_position` have read; None where the subject stays as it is."""
    x, y = (None, None) if position is None or position == "original" else position
    if scale is None and x is None:
        return None
    return Placement(scale=scale, x=x, y=y)


def _parse_length(text: str) -> Length:
    match = _LENGTH.fullmatch(text)
    number, unit = (float(match[1]), match[2]) if match else (-1.0, None)
    if not 0 <= number <= (MAX_MARGIN_PERCENT if unit == "%" else MAX_SIDE):
        message = f"must be 1, 2 or 4 lengths, in {_BOX_HELP}"
        raise ValueError(message)
    return Length(percent=number) if unit == "%" else Length(pixels=number)

"""Where a picture lies on the canvas of its result."""

import math
from dataclasses import dataclass

from server.errors import DimensionExceededError, NoSubjectError, PixelsExceededError
from server.image.box import Box
from server.output import MAX_RESULT_SIDE, Canvas, Crop, FitPixels, LongestSide, Output, Placement, Size


@dataclass(frozen=True)
class Layout:
    """A canvas of `width` × `height` pixels, and the picture on it.

    The picture's point (x, y) is the canvas's point (left + scale · x, top + scale · y). It may lie partly outside.
    """

    width: int
    height: int
    scale: float = 1.0
    left: float = 0.0
    top: float = 0.0


@dataclass(frozen=True)
class Plan:
    """A layout in whole pixels, for what must lie on them: the subject.

    The box `cut` of the picture, which may reach beyond it, covers exactly the box `place` of the canvas. All of the
    subject that the result shows is in it. Where both are of one size, its pixels need no resampling.
    """

    layout: Layout
    cut: Box
    place: Box


def plan(picture_size: tuple[int, int], subject: Box, output: Output, max_pixels: int) -> Plan:
    """Lay a picture out.

    `picture_size`: (height, width) of the upright picture. `subject`: its subject's box. `max_pixels`: most pixels of
    the result. Raises NoSubjectError where there is nothing to crop to or to place, DimensionExceededError and
    PixelsExceededError for a result that is too large.
    """
    if not subject.width and (output.crop is not None or output.placement != Placement()):
        raise NoSubjectError("No subject was found in the picture.")
    height, width = picture_size
    seen = Box(0, 0, width, height) if output.crop is None else _with_margins(subject, output.crop)
    canvas = _canvas_size(seen, output.size)
    _refuse_too_large(*canvas, max_pixels)
    if isinstance(output.size, Canvas):
        scale = min(canvas[0] / seen.width, canvas[1] / seen.height)
        place = _centred(seen, canvas, scale)
    else:
        # Both sides were rounded: the longer one by less of what it is.
        scale = max(canvas) / max(seen.width, seen.height)
        place = Box(0, 0, *canvas)
    if output.placement == Placement():
        return _planned(canvas, scale, seen, place)
    return _placed(canvas, scale, subject, _mapped(subject, seen, place, scale, canvas), output.placement)


def _placed(canvas: tuple[int, int], scale: float, subject: Box, where: Box, placement: Placement) -> Plan:
    """`where`: where the subject's box lies if nothing is asked for."""
    width, height, x, y = where.width, where.height, placement.x, placement.y
    if placement.scale is not None:
        scale = placement.scale * min(canvas[0] / subject.width, canvas[1] / subject.height)
        width, height = _sides(subject, scale, canvas)
        x, y = 0.5 if x is None else x, 0.5 if y is None else y
    left = min(where.left, canvas[0] - width) if x is None else _whole(x * (canvas[0] - width))
    top = min(where.top, canvas[1] - height) if y is None else _whole(y * (canvas[1] - height))
    return _planned(canvas, scale, subject, Box(top, left, width, height))


def _planned(canvas: tuple[int, int], scale: float, cut: Box, place: Box) -> Plan:
    if (cut.width, cut.height) == (place.width, place.height):
        scale = 1.0
    left = place.left + place.width / 2 - scale * (cut.left + cut.width / 2)
    top = place.top + place.height / 2 - scale * (cut.top + cut.height / 2)
    return Plan(Layout(*canvas, scale, left, top), cut, place)


def _with_margins(subject: Box, crop: Crop) -> Box:
    top, bottom = (_whole(margin.of(subject.height)) for margin in (crop.top, crop.bottom))
    left, right = (_whole(margin.of(subject.width)) for margin in (crop.left, crop.right))
    return Box(subject.top - top, subject.left - left, subject.width + left + right, subject.height + top + bottom)


def _canvas_size(seen: Box, size: Size | None) -> tuple[int, int]:
    """Return (width, height) of the result."""
    width, height = seen.width, seen.height
    match size:
        case Canvas():
            return size.width, size.height
        case LongestSide(pixels) if pixels < max(width, height):
            scale = pixels / max(width, height)
            return max(1, _whole(width * scale)), max(1, _whole(height * scale))
        case FitPixels(pixels) if pixels < width * height:
            scale = math.sqrt(pixels / (width * height))
            width, height = max(1, int(width * scale)), max(1, int(height * scale))
            # A side of less than one pixel was made one: the other pays for it.
            return min(width, pixels), min(height, pixels)
        case _:
            return width, height


def _refuse_too_large(width: int, height: int, max_pixels: int) -> None:
    if max(width, height) > MAX_RESULT_SIDE:
        raise DimensionExceededError(
            f"The result would be {width} × {height} pixels; a side may have at most {MAX_RESULT_SIDE}.",
            {"width": str(width), "height": str(height), "max_side": str(MAX_RESULT_SIDE)},
        )
    if width * height > max_pixels:
        raise PixelsExceededError(
            f"The result would have {width * height} pixels; at most {max_pixels} are allowed.",
            {"pixels": str(width * height), "max_pixels": str(max_pixels)},
        )


def _centred(seen: Box, canvas: tuple[int, int], scale: float) -> Box:
    width, height = _sides(seen, scale, canvas)
    return Box((canvas[1] - height) // 2, (canvas[0] - width) // 2, width, height)


def _mapped(subject: Box, seen: Box, place: Box, scale: float, canvas: tuple[int, int]) -> Box:
    """Return where the subject's box lies when `seen` lies at `place`, at that scale."""
    width, height = _sides(subject, scale, canvas)
    left, top = place.left + (subject.left - seen.left) * scale, place.top + (subject.top - seen.top) * scale
    return Box(_whole(top), _whole(left), width, height)


def _sides(box: Box, scale: float, canvas: tuple[int, int]) -> tuple[int, int]:
    """Return (width, height) of a box at that scale, at least a pixel and at most the canvas."""
    width, height = max(1, _whole(box.width * scale)), max(1, _whole(box.height * scale))
    return min(width, canvas[0]), min(height, canvas[1])


def _whole(length: float) -> int:
    """Return the nearest whole number; of two, the greater."""
    return math.floor(length + 0.5)

"""Encoded bytes to sRGB pixels: lazy ones at full size, an array at a small one."""

from dataclasses import dataclass

import numpy as np
import pyvips
from numpy.typing import NDArray

from server.errors import InvalidImageError
from server.image.colour import to_srgb
from server.image.header import Encoded, ImageHeader
from server.image.inflation import refuse_bombs
from server.image.libvips import to_array
from server.output import ImageFormat

# What the model sees behind transparent pixels: from grey, white and black subjects both stand out.
_BEHIND_TRANSPARENCY = 128

_MIRRORED = 2  # the one EXIF orientation (beside 1, upright) that can be had without the whole picture in memory
_SIDEWAYS = 5  # from this one on, rows are columns


@dataclass(frozen=True)
class Pixels:
    """A whole picture: upright, sRGB, lazy.

    `colour`: uchar, three bands, straight (not premultiplied). `alpha`: uchar, one band; None where the picture has no
    transparency.
    """

    colour: pyvips.Image
    alpha: pyvips.Image | None


@dataclass(frozen=True)
class View:
    """A small, upright copy of a picture.

    `colour`: (H, W, 3) uint8 sRGB, what is transparent blended into grey. `alpha`: (H, W) uint8, or None.
    """

    colour: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None


def over_grey(colour: pyvips.Image, alpha: pyvips.Image) -> pyvips.Image:
    """Return `colour` with what is transparent blended into grey; lazy uchar, three bands."""
    return alpha.ifthenelse(colour, _BEHIND_TRANSPARENCY, blend=True)


def upright_size(data: Encoded, header: ImageHeader) -> tuple[int, int]:
    """Return (height, width) after EXIF orientation, from libvips' own reading of the header.

    Raises InvalidImageError when that disagrees with `header`: two readings of one file are an attack.
    """
    if header.format is ImageFormat.PNG:
        refuse_bombs(data)
    image = _load(data, header.format)
    if (image.width, image.height) != (header.width, header.height):
        raise InvalidImageError("The picture's header contradicts itself.")
    sideways = _orientation(image) >= _SIDEWAYS
    return (image.width, image.height) if sideways else (image.height, image.width)


def open_pixels(data: Encoded, header: ImageHeader) -> Pixels:
    """Open the picture at full size, to be pulled once from top to bottom.

    Nothing is decoded yet, except a picture to be turned or put on its head: that one is then in memory whole, 3 or 4
    bytes a pixel. Damage shows when pixels are pulled.
    """
    image = _load(data, header.format)
    orientation = _orientation(image)
    colour, alpha = to_srgb(image)
    if orientation == 1:
        return Pixels(colour, alpha)
    joined = colour if alpha is None else colour.bandjoin(alpha)
    if orientation != _MIRRORED:
        joined = joined.copy_memory()
    joined = _upright(joined, orientation)
    return Pixels(joined, None) if alpha is None else Pixels(joined[:3], joined[3])


def read_view(data: Encoded, header: ImageHeader, size: tuple[int, int]) -> View:
    """Decode the picture at exactly `size` = (height, width), upright, in one pass, shrinking on load where it can."""
    image = _load(data, header.format)
    orientation = _orientation(image)
    height, width = size[::-1] if orientation >= _SIDEWAYS else size
    # At least twice the size that is asked for is decoded, so that the last step still averages.
    spare = min(image.width / width, image.height / height) / 2
    shrink = max(factor for factor in (1, 2, 4, 8) if factor <= max(1.0, spare))
    if shrink > 1 and header.format is ImageFormat.JPEG:
        image = _load(data, header.format, shrink=shrink)
    elif shrink > 1 and header.format is ImageFormat.WEBP:
        image = _load(data, header.format, scale=1 / shrink)
    colour, alpha = to_srgb(image)
    joined = colour if alpha is None else over_grey(colour, alpha).bandjoin(alpha)
    small = joined.resize(width / image.width, vscale=height / image.height).copy_memory()
    pixels = to_array(_upright(small, orientation))
    return View(pixels[..., :3], None if alpha is None else pixels[..., 3])


def _load(data: Encoded, kind: ImageFormat, **options: float) -> pyvips.Image:
    """Open with the loader of that format and no other. A truncated picture is an error; of an animation, the first
    frame is read."""
    loader = {
        ImageFormat.PNG: pyvips.Image.pngload_source,
        ImageFormat.JPEG: pyvips.Image.jpegload_source,
        ImageFormat.WEBP: pyvips.Image.webpload_source,
    }[kind]
    return loader(pyvips.Source.new_from_memory(data), access="sequential", fail_on="truncated", **options)


def _orientation(image: pyvips.Image) -> int:
    return int(image.get("orientation")) if image.get_typeof("orientation") else 1


def _upright(image: pyvips.Image, orientation: int) -> pyvips.Image:
    """Undo an EXIF orientation, 1 to 8 (Exif 2.32, tag 0x0112)."""
    turn = {3: "d180", 4: "d180", 5: "d90", 6: "d90", 7: "d270", 8: "d270"}.get(orientation)
    image = image.rot(turn) if turn else image
    return image.fliphor() if orientation in {2, 4, 5, 7} else image

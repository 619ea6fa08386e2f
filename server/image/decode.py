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
    stored = open_stored(data, header)
    colour, alpha = stored.pixels.colour, stored.pixels.alpha
    if alpha is None:
        return Pixels(upright(colour, stored.orientation), None)
    joined = upright(colour.bandjoin(alpha), stored.orientation)
    return stored.pixels if stored.orientation == 1 else Pixels(joined[:3], joined[3])


@dataclass(frozen=True)
class Stored:
    """A picture as it is stored, before its EXIF orientation; lazy, to be pulled once from top to bottom."""

    pixels: Pixels
    orientation: int

    @property
    def sideways(self) -> bool:
        """Whether its rows are columns of the upright picture."""
        return self.orientation >= _SIDEWAYS


def open_stored(data: Encoded, header: ImageHeader, spare: float = 1.0) -> Stored:
    """Open the picture as it is stored, where its format can do it 2, 4 or 8 times smaller, but `spare` at most."""
    image = _load(data, header.format)
    orientation = _orientation(image)
    shrink = max(factor for factor in (1, 2, 4, 8) if factor <= max(1.0, spare))
    if shrink > 1 and header.format is ImageFormat.JPEG:
        image = _load(data, header.format, shrink=shrink)
    elif shrink > 1 and header.format is ImageFormat.WEBP:
        image = _load(data, header.format, scale=1 / shrink)
    return Stored(Pixels(*to_srgb(image)), orientation)


def read_view(data: Encoded, header: ImageHeader, size: tuple[int, int]) -> View:
    """Decode the picture at exactly `size` = (height, width), upright, in one pass, shrinking on load where it can."""
    orientation = _orientation(_load(data, header.format))
    height, width = size[::-1] if orientation >= _SIDEWAYS else size
    # At least twice the size that is asked for is decoded, so that the last step still averages.
    stored = open_stored(data, header, min(header.width / width, header.height / height) / 2)
    colour, alpha = stored.pixels.colour, stored.pixels.alpha
    joined = colour if alpha is None else over_grey(colour, alpha).bandjoin(alpha)
    small = joined.resize(width / joined.width, vscale=height / joined.height).copy_memory()
    pixels = to_array(upright(small, orientation))
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


def upright(image: pyvips.Image, orientation: int) -> pyvips.Image:
    """Undo an EXIF orientation, 1 to 8 (Exif 2.32, tag 0x0112). What is to be turned is then in memory whole."""
    if orientation not in {1, _MIRRORED}:
        image = image.copy_memory()
    turn = {3: "d180", 4: "d180", 5: "d90", 6: "d90", 7: "d270", 8: "d270"}.get(orientation)
    image = image.rot(turn) if turn else image
    return image.fliphor() if orientation in {2, 4, 5, 7} else image

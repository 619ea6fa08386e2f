"""The subject of a picture at full size, as lazy libvips graphs.

Most of a picture is surely background or surely subject, and `ifthenelse` asks only for the side it needs, tile by
tile: the arithmetic of the unknown band runs in that band alone, and sure pixels are copied bit for bit.
"""

import math
from dataclasses import dataclass

import numpy as np
import pyvips
from numpy.typing import NDArray

from server.image.box import EMPTY, Box, box_between
from server.image.decode import Pixels, over_grey
from server.image.libvips import from_array
from server.image.refine import UNKNOWN, RefinementMaps
from server.image.resample import laid

_LUMA = [[0.299, 0.587, 0.114]]  # BT.601, as the maps were made with
_TILE = 128  # libvips' own tile size
_REMAINING = ((255 - np.arange(256)) / 255).astype(np.float32)
_CACHED_TILES = 32  # a few for each thread: a tile is used at once by all its users


@dataclass(frozen=True)
class Scene:
    """A picture and its subject, upright, lazy, all of one size.

    `colour`: uchar sRGB, three bands: the picture with the background's light taken out of the subject's soft edge.
    `alpha`: uchar, one band; 0 background, 255 subject; never above the input's own alpha. `cutout`: both, four bands,
    straight, with zeros where alpha is zero.
    """

    width: int
    height: int
    colour: pyvips.Image
    alpha: pyvips.Image
    cutout: pyvips.Image


def build_scene(pixels: Pixels, refinement: RefinementMaps) -> Scene:
    """Lay the maps over the full-size picture. Nothing is computed yet."""
    picture, own_alpha = pixels.colour, pixels.alpha
    width, height = picture.width, picture.height
    trimap = _blocks(refinement.trimap, width, height)
    unknown = trimap == UNKNOWN
    alpha, colour = _refined(picture, own_alpha, _enlarged(refinement.maps, width, height))
    sure_alpha, sure_cutout = trimap, picture.bandjoin(255 if own_alpha is None else own_alpha) & trimap
    if own_alpha is not None:
        alpha, sure_alpha = alpha.minpair(own_alpha), sure_alpha.minpair(own_alpha)
        sure_cutout &= own_alpha > 0
    cutout = colour.bandjoin(alpha) & (alpha > 0)
    return Scene(
        width,
        height,
        colour=unknown.ifthenelse(colour, picture),
        alpha=unknown.ifthenelse(alpha, sure_alpha),
        cutout=unknown.ifthenelse(cutout, sure_cutout).copy(interpretation="srgb"),
    )


def own_scene(pixels: Pixels) -> Scene:
    """The scene of a picture, with transparency, that says itself what its subject is. Nothing is computed yet."""
    colour, alpha = pixels.colour, pixels.alpha
    if alpha is None:
        raise ValueError("the picture has no transparency")
    cutout = (colour.bandjoin(alpha) & (alpha > 0)).copy(interpretation="srgb")
    return Scene(colour.width, colour.height, colour, alpha, cutout)


def subject_box(alpha: NDArray[np.uint8], picture_size: tuple[int, int]) -> Box:
    """Return the box of a subject in a picture of (height, width) pixels.

    `alpha`: (H, W) uint8, at the working size. Enlarged bilinearly, as at full size, no pixel outside of the box is
    more than transparent; where the working size is the picture's, the box is exact.
    """
    (rows, columns), (height, width) = alpha.shape, picture_size
    down, across = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not down.size:
        return EMPTY
    top, bottom = _reach(int(down[0]), int(down[-1]), height / rows)
    left, right = _reach(int(across[0]), int(across[-1]), width / columns)
    return box_between(top, left, bottom, right).cut_to(Box(0, 0, width, height))


def _reach(first: int, last: int, cell: float) -> tuple[int, int]:
    """Return the first pixel, and the one behind the last, whose centres lie less than a cell from the centres of the
    cells `first` to `last`."""
    return math.floor((first - 0.5) * cell - 0.5) + 1, math.ceil((last + 1.5) * cell - 0.5)


def _refined(
    picture: pyvips.Image, own_alpha: pyvips.Image | None, maps: pyvips.Image
) -> tuple[pyvips.Image, pyvips.Image]:
    """Return (alpha, colour) of the unknown band, uchar."""
    seen = picture if own_alpha is None else over_grey(picture, own_alpha)
    alpha = _shared((maps[0] * seen.recomb(_LUMA) + maps[1]).cast("uchar"))
    # A 3-band table instead of arithmetic: libvips spreads one band over three slowly.
    remaining = alpha.maplut(from_array(np.repeat(_REMAINING, 3).reshape(1, 256, 3)))
    # The sum is cut off, not rounded: where nothing is to be added, the picture stays as it is.
    colour = (picture + remaining * maps[2:5]).cast("uchar")
    if own_alpha is not None:
        # What its maker cut out has the subject's own colours already.
        colour = (own_alpha == 255).ifthenelse(colour, picture)
    return alpha, colour


def _enlarged(maps: NDArray[np.float32], width: int, height: int) -> pyvips.Image:
    """Interpolate the maps bilinearly; the centre of a map's cell is the centre of its pixels."""
    image = from_array(maps)
    scale = width / image.width, height / image.height
    enlarged = laid(image, scale, (0, 0), (width, height), "bilinear")
    return _shared(enlarged)


def _shared(image: pyvips.Image) -> pyvips.Image:
    """Keep recent tiles: libvips computes an image once for each of its users, unless it is cached."""
    return image.tilecache(tile_width=_TILE, tile_height=_TILE, max_tiles=_CACHED_TILES, threaded=True)


def _blocks(trimap: NDArray[np.uint8], width: int, height: int) -> pyvips.Image:
    """Return the trimap at full size.

    It is made of whole blocks of pixels, which libvips repeats at a fraction of the cost of any resampling. Each
    block takes the value of the cell at its centre; the trimap's margin covers the rest of the block.
    """
    rows, columns = trimap.shape
    block_height, block_width = -(-height // rows), -(-width // columns)
    down = ((np.arange(-(-height // block_height)) + 0.5) * (block_height * rows / height)).astype(int)
    across = ((np.arange(-(-width // block_width)) + 0.5) * (block_width * columns / width)).astype(int)
    blocks = trimap[np.minimum(down, rows - 1)][:, np.minimum(across, columns - 1)]
    return from_array(blocks).zoom(block_width, block_height).crop(0, 0, width, height)

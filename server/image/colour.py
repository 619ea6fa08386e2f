"""Any decoded pixels to 8-bit sRGB."""

import numpy as np
import pyvips

from server.errors import InvalidImageError
from server.image.libvips import from_array, to_array

_PROFILE = "icc-profile-data"
_SRGB_BANDS = 3
# Two steps of 255: what rounding alone makes of an sRGB profile on its way through libvips' profile space.
_INVISIBLE_DIFFERENCE = 2
_CUBE_STEPS = 6


def to_srgb(image: pyvips.Image) -> tuple[pyvips.Image, pyvips.Image | None]:
    """Return (colour, alpha) of a decoded picture, lazy: colour is uchar sRGB with three bands, alpha uchar or None.

    Grey, 16-bit and CMYK pixels are converted. An ICC profile is applied; one that is broken or made for other kinds of
    pixels is ignored, as browsers do. CMYK without a profile is read with libvips' own. Raises InvalidImageError for
    pixels that are none of these.
    """
    alpha = None
    if image.hasalpha():
        alpha = image[image.bands - 1]
        alpha = alpha if alpha.format == "uchar" else (alpha >> 8).cast("uchar")
        image = image[: image.bands - 1]
    if image.format not in {"uchar", "ushort"} or image.interpretation not in {
        "srgb",
        "b-w",
        "cmyk",
        "rgb16",
        "grey16",
    }:
        raise InvalidImageError("The picture has pixels of an unknown kind.")
    if image.get_typeof(_PROFILE) and not _is_plain_srgb(image):
        colour = image.icc_transform("srgb", embedded=True, depth=8)
    else:
        colour = image.colourspace("srgb")
    if colour.bands == 1:
        # icc_transform of a grey profile stays grey.
        colour = colour.colourspace("srgb")
    if colour.bands != _SRGB_BANDS or colour.format != "uchar":
        raise InvalidImageError("The picture has pixels of an unknown kind.")
    return colour, alpha


def _is_plain_srgb(image: pyvips.Image) -> bool:
    """Tell whether the embedded profile changes no colour visibly, as those of most cameras: applying it costs seconds
    at 100 megapixels."""
    if image.interpretation != "srgb" or image.format != "uchar":
        return False
    levels = np.linspace(0, 255, _CUBE_STEPS).astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    probe = from_array(cube).copy(interpretation="srgb")
    probe.set_type(pyvips.GValue.blob_type, _PROFILE, image.get(_PROFILE))
    converted = to_array(probe.icc_transform("srgb", embedded=True, depth=8))
    return int(np.abs(converted.astype(int) - cube).max()) <= _INVISIBLE_DIFFERENCE

"""Lazy pixels to an encoded file, without metadata."""

from pathlib import Path

import pyvips

from server.output import ImageFormat

_QUALITY = 90

# WebP keeps the prediction modes of all blocks in 512 KB. At efforts below 3 libwebp fails where they do not fit (seen
# at 16 megapixels of noise and 100 of a photo, never at 13); from 3 on it tries again with simpler ones.
_WEBP_EFFORT, _WEBP_EFFORT_LARGE = 0, 3
_WEBP_SMALL_PIXELS = 2048 * 2048


def encode(image: pyvips.Image, kind: ImageFormat, target: Path) -> None:
    """Compute `image`, uchar sRGB (or one grey band), strip by strip, and write it to `target`.

    PNG is written at level 1 with the sub filter: a third of the time of libpng's defaults for a tenth more bytes.
    WebP is lossy in colour, lossless in alpha, at the least effort that surely succeeds.
    """
    path = str(target)
    if kind is ImageFormat.PNG:
        image.pngsave(path, compression=1, filter="sub", keep="none")
    elif kind is ImageFormat.WEBP:
        effort = _WEBP_EFFORT if image.width * image.height <= _WEBP_SMALL_PIXELS else _WEBP_EFFORT_LARGE
        image.webpsave(path, Q=_QUALITY, alpha_q=100, effort=effort, keep="none")
    else:
        image.jpegsave(path, Q=_QUALITY, keep="none")

"""Lazy pixels to an encoded file, without metadata."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyvips

from server.output import ImageFormat

OnPercent = Callable[[int], None]
"""Told how many hundredths are done: rising, and 100 at the end."""

_QUALITY = 90

# WebP keeps the prediction modes of all blocks in 512 KB. At efforts below 3 libwebp fails where they do not fit (seen
# at 16 megapixels of noise and 100 of a photo, never at 13); from 3 on it tries again with simpler ones.
_WEBP_EFFORT, _WEBP_EFFORT_LARGE = 0, 3
_WEBP_SMALL_PIXELS = 2048 * 2048


def encode(image: pyvips.Image, kind: ImageFormat, target: Path, on_percent: OnPercent | None = None) -> None:
    """Compute `image`, uchar sRGB (or one grey band), strip by strip, and write it to `target`.

    PNG is written at level 1 with the sub filter: a third of the time of libpng's defaults for a tenth more bytes.
    WebP is lossy in colour, lossless in alpha, at the least effort that surely succeeds.
    """
    path = str(target)
    finished = None if on_percent is None else _report(image, on_percent)
    if kind is ImageFormat.PNG:
        image.pngsave(path, compression=1, filter="sub", keep="none")
    elif kind is ImageFormat.WEBP:
        effort = _WEBP_EFFORT if image.width * image.height <= _WEBP_SMALL_PIXELS else _WEBP_EFFORT_LARGE
        image.webpsave(path, Q=_QUALITY, alpha_q=100, effort=effort, keep="none")
    else:
        image.jpegsave(path, Q=_QUALITY, keep="none")
    if finished is not None:
        finished()


def _report(image: pyvips.Image, on_percent: OnPercent) -> Callable[[], None]:
    """Have libvips tell how much of `image` is computed; what is told twice is left out.

    Return what is to be called when all is written: libvips may be silent about the last hundredths.
    """
    told = 0

    def tell(percent: int) -> None:
        nonlocal told
        if percent > told:
            told = percent
            on_percent(told)

    def evaluated(_image: pyvips.Image, progress: Any) -> None:  # noqa: ANN401 - libvips' VipsProgress
        tell(progress.percent)

    image.set_progress(True)
    image.signal_connect("eval", evaluated)
    return lambda: tell(100)

"""Small pictures of frames that are done, for whoever watches: a folder that a worker fills and its server reads."""

import math
from collections.abc import Iterator
from pathlib import Path

from server.image.libvips import from_array
from server.video.frame import resized
from server.video.planes import Planes, to_pixels

MOST = 16
"""Previews of one video."""
SIDE = 320
"""Pixels of a preview, at most."""


class Previews:
    """Evenly chosen frames of one video, each a WebP file that is whole as soon as it has its name."""

    def __init__(self, folder: Path | None, frames: int) -> None:
        """`folder`: does not exist; None where nobody wants any. `frames`: how many are expected."""
        self._folder = folder
        self._every = max(1, math.ceil(frames / MOST))
        if folder is not None:
            folder.mkdir(mode=0o700)

    def show(self, number: int, time_s: float, planes: Planes) -> None:
        """Leave a picture of finished frame `number`, counted from 0, if it is one of those that are shown."""
        if self._folder is None or number % self._every or number >= MOST * self._every:
            return
        picture = from_array(to_pixels(_small(planes))).copy(interpretation="srgb")
        partial = self._folder / "partial"
        partial.write_bytes(picture.webpsave_buffer(Q=80, effort=0, keep="none"))
        partial.rename(self._folder / f"{number:06}-{round(time_s * 1000)}.webp")


def _small(planes: Planes) -> Planes:
    """Of at most SIDE pixels a side. The subject's colours go on beyond its edge, so they need not be weighed."""
    height, width = planes.y.shape
    ratio = min(1.0, SIDE / max(height, width))
    half = max(1, round(height * ratio / 2)), max(1, round(width * ratio / 2))
    size = 2 * half[0], 2 * half[1]
    y, u, v = resized(planes.y, size), resized(planes.u, half), resized(planes.v, half)
    return Planes(y, u, v, None if planes.alpha is None else resized(planes.alpha, size))


def read_previews(folder: Path, seen: set[str]) -> Iterator[tuple[float, bytes]]:
    """Return (seconds, WebP) of each preview in `folder` that is not `seen`, in order, and note them as seen."""
    for file in sorted(folder.glob("*.webp")):
        if file.name not in seen:
            seen.add(file.name)
            yield int(file.stem.partition("-")[2]) / 1000, file.read_bytes()

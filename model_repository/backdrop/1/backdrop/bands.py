"""Work on a large picture band by band, on all cores: what a band needs stays in a core's cache."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from backdrop.frame import Field, Frame, Picture

_ROWS = 64
_THREADS = max(2, os.cpu_count() or 2)


def by_bands(frame: Frame, paint: Callable[..., Picture], *fields: Field) -> Picture:
    """(H, W, 3): `paint(band, *fields)` for each band of `frame`, with the same rows of `fields` (H, W, …)."""
    out = np.empty((frame.height, frame.width, 3), np.float32)

    def run(first: int) -> None:
        band = frame.at_rows(first, first + _ROWS)
        rows = slice(first, first + _ROWS)
        out[rows] = paint(band, *(field[rows] for field in fields))

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(run, range(0, frame.height, _ROWS)))
    return out

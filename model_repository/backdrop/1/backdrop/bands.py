"""Work on all cores: a large picture band by band, so that what a band needs stays in a core's cache, or its parts."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from backdrop.frame import Field, Frame, Picture

_Part = TypeVar("_Part")
_ROWS = 64
_THREADS = max(2, os.cpu_count() or 2)


def together(*parts: Callable[[], _Part]) -> list[_Part]:
    """What `parts` paint, none of which needs another; in their order."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(lambda part: part(), parts))


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

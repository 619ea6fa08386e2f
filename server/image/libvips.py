"""libvips: how this process uses it, and the one place where its errors become ours."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyvips
from numpy.typing import NDArray

from server.errors import InvalidImageError, ProcessingFailedError

# What libvips says when the fault is this machine's (disk, memory, an encoder), not the picture's.
_OWN_FAULTS = ("write error", "unable to write", "unable to open", "unable to encode", "out of memory")

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h


def configure() -> None:
    """Set libvips up for this process, once, before the first picture.

    The operation cache is off: no two requests share a picture, and it would keep files open. Loaders that libvips
    itself calls unsafe for foreign bytes are blocked; the three we use are called by name anyway.

    While a picture is in work, the C library (glibc) keeps 64 MiB of freed memory and gives blocks over 32 MiB back at
    once: fetching every array of the model's size anew from the system takes longer than computing it.
    """
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_TRIM_THRESHOLD, 64 << 20)
    libc.mallopt(_M_MMAP_THRESHOLD, 32 << 20)
    pyvips.cache_set_max(0)
    pyvips.block_untrusted_set(True)  # noqa: FBT003 - libvips' own name and shape


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn a libvips error into ours.

    Raises InvalidImageError where the picture is at fault (libvips reads lazily, so a damaged picture may fail as late
    as while its result is written), ProcessingFailedError where this machine is.
    """
    try:
        yield
    except pyvips.Error as error:
        said = str(error)
        # Its first line names the operation that pulled ("unable to write to memory"), the second the cause, and others
        # what came of it: a result that is not written because nothing more can be read.
        cause = (said.splitlines()[1:] or [said])[0]
        if any(fault in cause for fault in _OWN_FAULTS):
            raise ProcessingFailedError("The result could not be written.") from error
        raise InvalidImageError("The picture is damaged and cannot be decoded.") from error


def from_array(array: NDArray[np.uint8] | NDArray[np.float32]) -> pyvips.Image:
    """Return an image over the pixels of `array`, (H, W) or (H, W, bands)."""
    return pyvips.Image.new_from_array(np.ascontiguousarray(array))


def to_array(image: pyvips.Image) -> NDArray[np.uint8]:
    """Compute `image`, uchar, and return it as (H, W, bands) uint8, also for one band."""
    array: NDArray[np.uint8] = np.frombuffer(image.write_to_memory(), dtype=np.uint8)
    return array.reshape(image.height, image.width, image.bands)

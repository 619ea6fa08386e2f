"""The photos that are measured: those of the tests, enlarged to 2, 12 and 100 megapixels.

Enlarging alone leaves a picture without the finest detail, which codecs then find unusually easy. A little noise, as
a camera's, makes up for it. Everything is seeded: every run measures the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIZES = {"2 MP": (1632, 1224), "12 MP": (4000, 3000), "100 MP": (10_000, 10_000)}
"""Width and height in pixels."""

_MAX_BYTES = 25 * 1024 * 1024  # The contract's bound for one encoded picture.
_NOISE_SIGMA = 3.0  # Of 255: a camera at a low ISO.
_QUALITY = 90


@dataclass(frozen=True)
class Photo:
    """One encoded photo. `name` is the source's, `data` the JPEG, `view` a file of what a model sees of it."""

    name: str
    data: bytes
    view: Path


def load_photos(sources: Path, size: str, folder: Path) -> list[Photo]:
    """Every PNG of `sources` at `size` (a key of SIZES), as JPEG; made once and kept in `folder`.

    `view` is an .npy file: (1, 1024, 1024, 3) uint8, sRGB.
    """
    folder.mkdir(parents=True, exist_ok=True)
    photos = []
    for index, source in enumerate(sorted(sources.glob("*.png"))):
        encoded = folder / f"{source.stem}-{size.replace(' ', '')}.jpg"
        view = folder / f"{source.stem}.npy"
        if not (encoded.exists() and view.exists()):
            picture = cv2.imread(str(source), cv2.IMREAD_COLOR)
            if picture is None:
                raise SystemExit(f"{source} is not a picture")
            encoded.write_bytes(_encode(_enlarge(picture.astype(np.uint8), SIZES[size], seed=index)))
            small = cv2.cvtColor(_cover(picture.astype(np.uint8), (1024, 1024)), cv2.COLOR_BGR2RGB)
            np.save(view, small[np.newaxis])
        photos.append(Photo(source.stem, encoded.read_bytes(), view))
    if not photos:
        raise SystemExit(f"no photos in {sources}")
    return photos


def rotate(photos: Sequence[Photo], count: int) -> list[Photo]:
    """`count` photos: each in turn, over and over."""
    return [photos[index % len(photos)] for index in range(count)]


def _enlarge(picture: NDArray[np.uint8], size: tuple[int, int], seed: int) -> NDArray[np.uint8]:
    """`picture`: (H, W, 3) uint8. Scaled with Lanczos to cover `size` (width, height), cut to it, with noise added."""
    large = _cover(picture, size)
    noise = np.empty(large.shape, np.int16)
    cv2.setRNGSeed(seed)
    cv2.randn(noise, np.zeros(3), np.full(3, _NOISE_SIGMA))
    return cv2.add(large, noise, dtype=cv2.CV_8U).astype(np.uint8, copy=False)


def _cover(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Scales `picture` (H, W, 3) until it covers `size` (width, height), and cuts out the middle."""
    width, height = size
    scale = max(width / picture.shape[1], height / picture.shape[0])
    scaled = (max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale)))
    large = cv2.resize(picture, scaled, interpolation=cv2.INTER_LANCZOS4)
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return np.ascontiguousarray(large[top : top + height, left : left + width], np.uint8)


def _encode(picture: NDArray[np.uint8]) -> bytes:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if data.nbytes > _MAX_BYTES:
        raise SystemExit(
            f"the JPEG of {picture.shape[1]}×{picture.shape[0]} has {data.nbytes} bytes, over {_MAX_BYTES}"
        )
    return data.tobytes()

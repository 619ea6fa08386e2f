"""The photo that tests pay for, and what the toy model must make of it."""

import io

import numpy as np
from PIL import Image

from tests.support.http import make_photo


def make_paid_photo(side: int = 256) -> bytes:
    """`make_photo` as PNG, the type that the guides' samples send."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(make_photo(side))).save(buffer, "PNG")
    return buffer.getvalue()


def check_cutout(picture: bytes, photo: bytes) -> None:
    """The bright disc is the subject and keeps its colours, the dark around it is gone, the size is the photo's."""
    cutout, original = Image.open(io.BytesIO(picture)), Image.open(io.BytesIO(photo))
    assert (cutout.format, cutout.mode, cutout.size) == ("PNG", "RGBA", original.size)
    pixels, source = np.asarray(cutout), np.asarray(original.convert("RGB"))
    alpha, rows = pixels[..., 3], cutout.height
    assert (alpha[rows // 2, rows // 2 - rows // 4 : rows // 2 + rows // 4] == 255).all()
    assert (alpha[: rows // 10] == 0).all()
    sure = alpha == 255
    assert 0.25 < sure.mean() < 0.4  # The disc is π/9 of the picture.
    assert np.abs(pixels[sure][:, :3].astype(int) - source[sure]).max() <= 1

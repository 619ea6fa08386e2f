"""How far two mattes are apart."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from server.errors import ProcessingFailedError
from server.image.difference import mean_difference


def matte(folder: Path, name: str, left: int, right: int, width: int = 8) -> Path:
    """A matte of one value in its left half and another in its right."""
    alpha = np.full((4, width), left, np.uint8)
    alpha[:, width // 2 :] = right
    Image.fromarray(alpha).save(folder / name)
    return folder / name


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [((0, 255), (0, 255), 0.0), ((0, 255), (255, 0), 1.0), ((0, 255), (0, 0), 0.5), ((10, 10), (61, 10), 0.1)],
)
def test_it_is_the_mean_of_all_pixels_either_way(
    tmp_path: Path, one: tuple[int, int], other: tuple[int, int], apart: float
) -> None:
    files = matte(tmp_path, "one.png", *one), matte(tmp_path, "other.png", *other)
    assert mean_difference(*files) == pytest.approx(apart)
    assert mean_difference(*reversed(files)) == pytest.approx(apart)


def test_mattes_of_two_sizes_are_not_compared(tmp_path: Path) -> None:
    files = matte(tmp_path, "one.png", 0, 255), matte(tmp_path, "other.png", 0, 255, width=10)
    with pytest.raises(ProcessingFailedError, match="one size"):
        mean_difference(*files)


def test_what_is_no_matte_is_not_compared(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(ProcessingFailedError, match="cannot be compared"):
        mean_difference(matte(tmp_path, "one.png", 0, 255), broken)

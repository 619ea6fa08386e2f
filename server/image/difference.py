"""How far two mattes are apart."""

from pathlib import Path

import pyvips

from server.errors import ProcessingFailedError


def mean_difference(first: Path, second: Path) -> float:
    """The mean absolute difference of two encoded grey pictures of one size, 0 to 1.

    Raises `ProcessingFailedError` where they cannot be read, or are of different sizes.
    """
    try:
        one, other = (pyvips.Image.new_from_file(str(file), access="sequential") for file in (first, second))
        if (one.width, one.height, one.bands) != (other.width, other.height, other.bands):
            raise ProcessingFailedError("The two mattes are not of one size.")
        return float((one - other).abs().avg()) / 255
    except pyvips.Error as error:
        raise ProcessingFailedError("The mattes cannot be compared.") from error

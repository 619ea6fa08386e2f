"""How much of a result is computed, told while it is."""

from pathlib import Path

import pytest
import pyvips

from server.image.encode import encode
from server.output import ImageFormat


@pytest.mark.case("J6")
@pytest.mark.parametrize("form", ImageFormat)
def test_hundredths_rise_to_a_hundred(form: ImageFormat, tmp_path: Path) -> None:
    told: list[int] = []
    image = (pyvips.Image.black(1000, 6000, bands=3) + 7).cast("uchar").copy(interpretation="srgb")
    encode(image, form, tmp_path / "result", told.append)
    assert len(told) > 10
    assert told == sorted(set(told))
    assert told[-1] == 100

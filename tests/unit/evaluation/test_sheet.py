"""The contact sheet of the worst cases: a row for each, and colours that say what is wrong."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.errors import EvaluationError
from evaluation.samples import Sample
from evaluation.scores import score
from evaluation.sheet import Case, lay_out, write_sheet

HEIGHT, WIDTH = 60, 80


def case(folder: Path, name: str = "a") -> Case:
    """The truth is the left half; the matte is the lower half."""
    truth, matte = np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    truth[:, : WIDTH // 2], matte[HEIGHT // 2 :] = 255, 255
    sample = Sample(name, folder / f"{name}.png", folder / f"{name}-mask.png")
    cv2.imwrite(str(sample.image), np.full((HEIGHT, WIDTH, 3), (10, 120, 200), np.uint8))
    cv2.imwrite(str(sample.mask), truth)
    return Case(sample, matte, score(matte, truth))


def test_what_is_lacking_is_red_and_what_is_too_much_is_blue(tmp_path: Path) -> None:
    sheet = lay_out([case(tmp_path)])

    left = 3 * sheet.shape[1] // 4 + (320 - WIDTH) // 2  # The difference is the fourth picture, in its cell's middle.
    top = 26
    quarters = {
        place: tuple(int(value) for value in sheet[top + y, left + x])
        for place, (x, y) in {"lacks": (20, 15), "neither": (60, 15), "both": (20, 45), "extra": (60, 45)}.items()
    }
    assert quarters == {
        "lacks": (0, 0, 255),
        "extra": (255, 0, 0),
        "both": (255, 255, 255),
        "neither": (255, 255, 255),
    }


def test_each_case_has_its_row(tmp_path: Path) -> None:
    one, two = lay_out([case(tmp_path)]), lay_out([case(tmp_path), case(tmp_path, "b")])

    assert two.shape[0] - one.shape[0] == HEIGHT + 26


def test_it_is_written_as_its_name_says(tmp_path: Path) -> None:
    write_sheet([case(tmp_path)], tmp_path / "sheet.jpg")

    assert (tmp_path / "sheet.jpg").read_bytes()[:3] == b"\xff\xd8\xff"


def test_a_picture_that_is_gone_is_named(tmp_path: Path) -> None:
    gone = case(tmp_path)
    gone.sample.image.unlink()

    with pytest.raises(EvaluationError, match=r"a\.png cannot be read"):
        lay_out([gone])

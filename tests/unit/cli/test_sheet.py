"""Contact sheets: which frames are shown, when, and over what."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray

from cli.sheet import MAX_FRAMES, GrowingSheet, SheetError, lay_out, write_sheet
from tests.support.clip_scenes import flat
from tests.support.clips import film

SIZE = (48, 64)
LIGHT, DARK = 235, 205  # Of the checkerboard, 12 pixels each.


def half_clear(value: int) -> NDArray[np.uint8]:
    """(48, 64, 4): left a grey without transparency, right nothing, of a colour that must not be seen."""
    frame = np.full((*SIZE, 4), value, np.uint8)
    frame[:, :32, 3] = 255
    frame[:, 32:] = (255, 0, 255, 0)
    return frame


def read(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path))
    assert picture is not None
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.uint8)


def cells(sheet: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The frames of a sheet of this size, without the lines of their times."""
    height, width = SIZE[0] + 24, SIZE[1] + 2
    rows, columns = sheet.shape[0] // height, sheet.shape[1] // width
    return [
        sheet[row * height : row * height + SIZE[0], column * width + 1 : (column + 1) * width - 1]
        for row in range(rows)
        for column in range(columns)
    ]


def test_what_is_transparent_shows_the_checkerboard() -> None:
    cell = cells(lay_out([(0.0, half_clear(40))]))[0]
    assert (cell[:, :32] == 40).all()
    assert set(np.unique(cell[:, 36:])) == {LIGHT, DARK}
    assert cell[0, 36, 0] == cell[12, 48, 0] != cell[12, 36, 0]


def test_a_large_frame_is_shown_smaller() -> None:
    sheet = lay_out([(0.0, np.full((1080, 1920, 4), 255, np.uint8))] * 5)
    assert sheet.shape == (2 * (180 + 24), 4 * (320 + 2), 3)


def pngs(path: Path, values: list[int]) -> Path:
    with zipfile.ZipFile(path, "w") as files:
        for number, value in enumerate(values):
            frame = cv2.cvtColor(half_clear(value), cv2.COLOR_RGBA2BGRA)
            files.writestr(f"{number:05}.png", cv2.imencode(".png", frame)[1].tobytes())
        listed = [{"file": f"{number:05}.png", "time_s": number / 25} for number in range(len(values))]
        files.writestr("frames.json", json.dumps({"frames": listed}))
    return path


def webp(path: Path, values: list[int]) -> Path:
    pages = [pyvips.Image.new_from_array(half_clear(value)) for value in values]
    joined = pyvips.Image.arrayjoin(pages, across=1).copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", SIZE[0])
    joined.set_type(pyvips.GValue.array_int_type, "delay", [40] * len(values))
    joined.copy(interpretation="srgb").webpsave(str(path), lossless=True)
    return path


@pytest.mark.parametrize(("make", "name"), [(pngs, "a.zip"), (webp, "a.webp")])
def test_frames_are_chosen_evenly_from_the_first_to_the_last(
    tmp_path: Path, make: Callable[[Path, list[int]], Path], name: str
) -> None:
    values = list(range(0, 62, 2))  # 31 frames: 16 are every second one.
    write_sheet(make(tmp_path / name, values), tmp_path / "sheet.png")
    shown = [int(cell[0, 0, 0]) for cell in cells(read(tmp_path / "sheet.png"))]
    assert shown == values[::2]
    assert len(shown) == MAX_FRAMES


@pytest.mark.parametrize("name", ["a.mp4", "a.webm"])
def test_films_are_shown_too(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(cv2, "putText", lambda _, text, *__: written.append(text))
    clip = film(tmp_path / name, flat(frames=5, size=SIZE, colour=(200, 30, 60)))
    write_sheet(clip, tmp_path / "sheet.jpg")
    shown = cells(read(tmp_path / "sheet.jpg"))
    assert len(shown) == 8
    assert written == ["0.00 s", "0.04 s", "0.08 s", "0.12 s", "0.16 s"]
    for frame in shown[:5]:
        assert np.abs(frame[8:-8, 8:-8].mean((0, 1)) - (200, 30, 60)).max() < 6
    assert shown[5].min() > 250  # Paper.


def test_a_sheet_grows_in_the_order_of_time(tmp_path: Path) -> None:
    growing = GrowingSheet(tmp_path / "sheet.png")
    shown = []
    for times in ((0.4,), (0.0, 0.2), (0.1, 0.3)):
        growing.add((time_s, preview(round(time_s * 100))) for time_s in times)
        shown.append([int(cell[0, 0, 0]) for cell in cells(read(tmp_path / "sheet.png"))])
    paper = 255
    assert shown == [
        [40, paper, paper, paper],
        [0, 20, 40, paper],
        [0, 10, 20, 30, 40, paper, paper, paper],
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]


def preview(value: int) -> bytes:
    data: bytes = (
        pyvips.Image.new_from_array(half_clear(value)).copy(interpretation="srgb").webpsave_buffer(lossless=True)
    )
    return data


@pytest.mark.parametrize(
    ("name", "data"), [("a.mp4", b"no film"), ("a.zip", b"no zip"), ("a.webp", b""), ("a.gif", b"")]
)
def test_what_is_no_result_is_said(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SheetError, match=f"no contact sheet can be made of .*{name}"):
        write_sheet(tmp_path / name, tmp_path / "sheet.png")
    assert not (tmp_path / "sheet.png").exists()

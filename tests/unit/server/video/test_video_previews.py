"""Previews of a video at work: few, small, whole, and each sent once."""

from pathlib import Path

import numpy as np
import pytest
import pyvips

from server.jobs.previews import Shelf
from server.video.planes import from_rgb
from server.video.previews import MOST, SIDE, Previews, read_previews


def frame(alpha: int | None = None) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    picture = np.full((360, 640, 3 if alpha is None else 4), 90, np.uint8)
    if alpha is not None:
        picture[..., 3] = alpha
    return picture


@pytest.mark.parametrize(("frames", "shown"), [(1, 1), (16, 16), (17, 9), (100, 15), (480, 16)])
def test_of_any_video_there_are_few(tmp_path: Path, frames: int, shown: int) -> None:
    previews, planes = Previews(tmp_path / "previews", frames), from_rgb(frame())
    for number in range(frames + 40):  # More than the header said.
        previews.show(number, number / 25, planes)
    found = list(read_previews(tmp_path / "previews", set()))
    assert shown <= len(found) <= MOST
    assert [time_s for time_s, _ in found] == sorted(time_s for time_s, _ in found)
    assert found[0][0] == 0


@pytest.mark.parametrize(("alpha", "bands"), [(None, 3), (128, 4)])
def test_a_preview_is_small_and_as_transparent_as_its_frame(tmp_path: Path, alpha: int | None, bands: int) -> None:
    Previews(tmp_path / "previews", 1).show(0, 0.0, from_rgb(frame(alpha)))
    ((time_s, data),) = read_previews(tmp_path / "previews", set())
    picture = pyvips.Image.new_from_buffer(data, "")
    assert (time_s, picture.width, picture.height, picture.bands) == (0.0, SIDE, 180, bands)
    assert picture.numpy()[90, 160].tolist() == pytest.approx([90, 90, 90, 128][:bands], abs=3)


def test_nobody_is_shown_anything_where_no_folder_is_named() -> None:
    Previews(None, 1).show(0, 0.0, from_rgb(frame()))


def test_a_watcher_sees_each_once_and_only_while_the_work_lasts(tmp_path: Path) -> None:
    shelf, seen = Shelf(), set[str]()
    assert shelf.unseen("job", seen) == []
    with shelf.holding("job", tmp_path) as folder:
        assert shelf.unseen("job", seen) == []
        previews = Previews(folder, 2)
        for number in range(2):
            previews.show(number, number / 25, from_rgb(frame()))
            assert [time_s for time_s, _ in shelf.unseen("job", seen)] == [number / 25]
        assert len(shelf.unseen("job", set())) == 2
        assert shelf.unseen("other", set()) == []
    assert shelf.unseen("job", set()) == []


def test_an_attempt_that_ends_late_hides_nothing_of_the_next(tmp_path: Path) -> None:
    shelf = Shelf()
    late = shelf.holding("job", tmp_path / "first")
    late.__enter__()
    with shelf.holding("job", tmp_path / "second") as folder:
        late.__exit__(None, None, None)
        folder.parent.mkdir()
        Previews(folder, 1).show(0, 0.0, from_rgb(frame()))
        assert len(shelf.unseen("job", set())) == 1

from pathlib import Path

import numpy as np
import pyvips

from cli.demo import before_after, server_timing


def test_stage_times_are_read_in_seconds() -> None:
    assert server_timing(["queue;dur=1.5, infer;desc=x;dur=400", "total;dur=500"]) == [
        ("queue", 0.0015),
        ("infer", 0.4),
        ("total", 0.5),
    ]
    assert server_timing([]) == []


def test_the_cutout_stands_beside_the_photo_on_a_checkerboard(tmp_path: Path) -> None:
    photo = np.full((40, 60, 3), (200, 100, 50), np.uint8)
    cutout = np.dstack([photo, np.zeros((40, 60), np.uint8)])
    cutout[:, 30:, 3] = 255
    pyvips.Image.new_from_array(photo).pngsave(str(tmp_path / "photo.png"))
    pyvips.Image.new_from_array(cutout).pngsave(str(tmp_path / "cutout.png"))
    before_after(tmp_path / "photo.png", tmp_path / "cutout.png", tmp_path / "both.png")
    both = pyvips.Image.new_from_file(str(tmp_path / "both.png")).numpy()
    assert both.shape == (40, 60 + 16 + 60, 3)
    assert (both[:, :60] == photo).all()
    assert (both[:, 60 + 16 + 30 :] == photo[:, 30:]).all()
    assert (both[:16, 76:92] == 255).all()
    assert (both[:16, 92:106] == 204).all()
    assert (both[16:32, 76:92] == 204).all()

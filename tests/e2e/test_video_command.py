"""`clearcanvas video` with the whole stack: a clip in, a clip and its contact sheet out."""

import os
import subprocess
from pathlib import Path

import cv2
import pytest

from tests.support.clip_scenes import moving
from tests.support.clips import Sound, beeps_of, decoded_frames, film
from tests.support.processes import module
from tests.support.stack import RunningStack


def test_a_clip_becomes_a_clip_and_a_contact_sheet(stack: RunningStack, tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mov", moving(frames=6, size=(96, 128)), sound=Sound.AAC, beeps=(0.1,), rotation=90)
    result, sheet = tmp_path / "out" / "clip.mp4", tmp_path / "sheet.png"
    command = module("cli", "video", str(clip), "-o", str(result), "--blur", "12", "--contact-sheet", str(sheet))
    environment = os.environ | {"CLEARCANVAS_GRPC": stack.grpc, "COLUMNS": "200"}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert finished.returncode == 0, finished.stderr
    assert "clip.mp4: 6 frames, matting fast (fast and quality agree by 1.00 on the first frames)" in finished.stderr
    assert "1 done, 0 kept, 0 failed" in finished.stdout
    frames = decoded_frames(result)
    assert [picture.shape[:2] for _, picture in frames] == [(128, 96)] * 6
    assert [time_s for time_s, _ in frames] == pytest.approx([number / 25 for number in range(6)], abs=0.02)
    assert beeps_of(result) == pytest.approx([0.1], abs=0.04)
    picture = cv2.imread(str(sheet))
    assert picture is not None
    assert picture.shape == (2 * (128 + 24), 4 * (96 + 2), 3)


def test_what_is_no_video_is_said_and_leaves_nothing(stack: RunningStack, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_bytes(b"only some words")
    command = module("cli", "video", str(tmp_path / "notes.mp4"), "-o", str(tmp_path / "out.webm"))
    environment = os.environ | {"CLEARCANVAS_GRPC": stack.grpc, "COLUMNS": "200"}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 1
    assert "notes.mp4: " in finished.stderr
    assert "0 done, 0 kept, 1 failed" in finished.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["notes.mp4"]

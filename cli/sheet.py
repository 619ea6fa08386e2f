"""A contact sheet: frames of a result in a grid with their times, over a checkerboard where they are transparent."""

import json
import os
import zipfile
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pyvips
from numpy.typing import NDArray

Rgba = NDArray[np.uint8]

MAX_FRAMES = 16
_COLUMNS = 4
_CELL = 320  # Pixels that a frame may be wide or high.
_LABEL = 24  # Pixels of the line with the time.
_SQUARE = 12
_LIGHT, _DARK, _PAPER, _INK = 235, 205, 255, 60


class SheetError(Exception):
    """There is no contact sheet; the message says why."""


def has_picture_name(sheet: Path) -> bool:
    """Whether the ending of its name is that of a picture which can be written."""
    return bool(sheet.suffix) and cv2.haveImageWriter(sheet.name)


def write_sheet(video: Path, sheet: Path) -> None:
    """Write a picture of up to `MAX_FRAMES` frames of `video`, evenly chosen, to `sheet`, in the form its name says.

    Raises:
        SheetError: `video` is none that `clearcanvas video` makes, or `sheet` cannot be written.
    """
    readers = {".mp4": _film, ".webm": _film, ".webp": _animation, ".zip": _folder}
    try:
        frames = list(readers[video.suffix.lower()](video))
    except (KeyError, ValueError, av.FFmpegError, pyvips.Error, zipfile.BadZipFile) as error:
        raise SheetError(f"no contact sheet can be made of {video}: {error}") from error
    if not frames:
        raise SheetError(f"no contact sheet can be made of {video}: it has no frames")
    _save(lay_out(frames), sheet)


class GrowingSheet:
    """A sheet of the frames that are known so far, while others are still at work."""

    def __init__(self, sheet: Path) -> None:
        self._sheet = sheet
        self._frames: dict[float, Rgba] = {}

    def add(self, previews: Iterable[tuple[float, bytes]]) -> None:
        """Write the sheet anew, with these too. `previews`: (seconds, an encoded picture).

        Raises:
            SheetError: The sheet cannot be written.
        """
        for time_s, data in previews:
            picture = pyvips.Image.new_from_buffer(data, "")
            self._frames[time_s] = (picture if picture.hasalpha() else picture.bandjoin(255)).numpy()
        _save(lay_out(sorted(self._frames.items(), key=lambda item: item[0])), self._sheet)


def _save(sheet: Rgba, path: Path) -> None:
    """Whole or not at all: somebody may be looking at the one before."""
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        if not cv2.imwrite(str(partial), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)):
            raise SheetError(f"{path} cannot be written")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def lay_out(frames: list[tuple[float, Rgba]]) -> Rgba:
    """The grid, (H, W, 3) uint8 sRGB. `frames`: (seconds, (H, W, 4) uint8, alpha not multiplied), all of one size."""
    cells = [_cell(time_s, frame) for time_s, frame in frames]
    cells += [np.full_like(cells[0], _PAPER)] * (-len(cells) % _COLUMNS)
    rows = [np.concatenate(cells[start : start + _COLUMNS], axis=1) for start in range(0, len(cells), _COLUMNS)]
    return np.concatenate(rows)


def _cell(time_s: float, frame: Rgba) -> Rgba:
    height, width = frame.shape[:2]
    ratio = min(_CELL / max(height, width), 1)
    size = max(round(width * ratio), 1), max(round(height * ratio), 1)
    # Colours under no alpha mean nothing: they are weighed by it before they are mixed.
    opacity = frame[:, :, 3:].astype(np.float32) / 255
    weighed = cv2.resize(frame[:, :, :3] * opacity, size, interpolation=cv2.INTER_AREA)
    behind = 1 - cv2.resize(opacity, size, interpolation=cv2.INTER_AREA)[:, :, np.newaxis]
    over = weighed + behind * _checkerboard(size[1], size[0])
    cell = np.full((size[1] + _LABEL, size[0] + 2, 3), _PAPER, np.uint8)
    cell[: size[1], 1:-1] = np.rint(over).clip(0, 255)
    place = 6, size[1] + _LABEL - 8
    cv2.putText(cell, f"{time_s:.2f} s", place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (_INK,) * 3, 1, cv2.LINE_AA)
    return cell


def _checkerboard(height: int, width: int) -> NDArray[np.float32]:
    rows, columns = np.ogrid[:height, :width]
    light = (rows // _SQUARE + columns // _SQUARE) % 2 == 0
    return np.where(light, _LIGHT, _DARK).astype(np.float32)[:, :, None]


def _chosen(count: int) -> list[int]:
    """Numbers of the frames to show: the first, the last, and what lies evenly between."""
    shown = min(count, MAX_FRAMES)
    return [round(index * (count - 1) / max(shown - 1, 1)) for index in range(shown)]


def _film(path: Path) -> Iterator[tuple[float, Rgba]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        count = sum(1 for packet in container.demux(stream) if packet.size)
    chosen = set(_chosen(count))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        clock = stream.time_base or Fraction(0)
        # Only this decoder gives the alpha of VP9; the native one leaves it out.
        vp9 = stream.codec_context.name == "vp9"
        context = av.VideoCodecContext.create("libvpx-vp9", "r") if vp9 else stream.codec_context
        packets = (packet if packet.size else None for packet in container.demux(stream))
        frames = (frame for packet in packets for frame in context.decode(packet))
        for number, frame in enumerate(frames):
            if number in chosen:
                # Not `frame.time`: what a decoder gives at the end has no clock of its own.
                yield float((frame.pts or 0) * clock), np.asarray(frame.to_ndarray(format="rgba"), np.uint8)


def _animation(path: Path) -> Iterator[tuple[float, Rgba]]:
    first = pyvips.Image.new_from_file(str(path))
    count = first.get("n-pages") if "n-pages" in first.get_fields() else 1
    delays = first.get("delay") if "delay" in first.get_fields() else [0] * count
    for number in _chosen(count):
        page = pyvips.Image.new_from_file(str(path), page=number)
        page = page if page.hasalpha() else page.bandjoin(255)
        yield sum(delays[:number]) / 1000, page.numpy()


def _folder(path: Path) -> Iterator[tuple[float, Rgba]]:
    with zipfile.ZipFile(path) as files:
        listed = json.loads(files.read("frames.json"))["frames"]
        for number in _chosen(len(listed)):
            picture = cv2.imdecode(np.frombuffer(files.read(listed[number]["file"]), np.uint8), cv2.IMREAD_UNCHANGED)
            if picture is None or picture.ndim != 3:
                raise ValueError(f"{listed[number]['file']} is not a picture")
            code = cv2.COLOR_BGRA2RGBA if picture.shape[2] == 4 else cv2.COLOR_BGR2RGBA
            yield float(listed[number]["time_s"]), cv2.cvtColor(picture, code).astype(np.uint8)

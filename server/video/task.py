"""What is known of a video, what is to be made of it, and what was made."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from server.composition import Composition


class VideoFormat(Enum):
    """Form of a result. `extension` without a dot; `transparent`: whether it can hold transparency."""

    MP4 = "video/mp4", "mp4", False
    WEBM = "video/webm", "webm", True
    WEBP = "image/webp", "webp", True
    PNG_ZIP = "application/zip", "zip", True

    def __init__(self, content_type: str, extension: str, transparent: bool) -> None:  # noqa: FBT001 - a table's column
        self.content_type = content_type
        self.extension = extension
        self.transparent = transparent


class VideoMatting(Enum):
    """How the subject is found in the frames."""

    AUTO = "auto"  # fast where both agree on the first frames, else quality
    FAST = "fast"  # a small model for people, on every frame
    QUALITY = "quality"  # the large model on key frames, carried between them by optical flow


@dataclass(frozen=True)
class VideoLimits:
    """What of a video is taken. All that the header tells is refused before a frame is decoded."""

    duration_s: float = 4.0  # what is longer is trimmed
    frames: int = 480  # of the trimmed part; more is refused
    frame_rate: float = 120.0  # frames a second
    side: int = 4096  # pixels
    pixels: int = 4096 * 2160  # width × height
    streams: int = 16
    opening_s: float = 10.0  # for reading the header
    size: int = 100 * 1024 * 1024  # bytes of the file


@dataclass(frozen=True)
class VideoFacts:
    """What a video's header says. `width`, `height` upright; `frames` estimated, of the part that is processed."""

    width: int
    height: int
    duration_s: float
    processed_s: float
    frames: int
    audio: bool


@dataclass(frozen=True)
class VideoTask:
    """What to make of one video."""

    composition: Composition
    format: VideoFormat
    matting: VideoMatting
    limits: VideoLimits


@dataclass(frozen=True)
class VideoResult:
    """Facts of a written result. `models`: names of those that were asked; `agreement`: IoU of both ways on the first
    frames, where `auto` was asked for; `stages`: (name, seconds)."""

    content_type: str
    size: int
    frames: int
    duration_s: float
    matting: VideoMatting
    models: tuple[str, ...]
    device: str
    agreement: float | None
    stages: tuple[tuple[str, float], ...] = ()


OnProgress = Callable[[int, int], None]
"""Told how many frames are done, and how many there are in all."""

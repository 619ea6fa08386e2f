"""Forms of a video result, one a file."""

from pathlib import Path

from server.video.sinks.muxed import Muxed
from server.video.sinks.output import Output, Sink
from server.video.task import VideoFormat


def open_sink(target: Path, kind: VideoFormat, output: Output) -> Sink:
    """Begin a result of that form at `target`."""
    match kind:
        case VideoFormat.MP4 | VideoFormat.WEBM:
            return Muxed(target, kind, output)
        case VideoFormat.WEBP | VideoFormat.PNG_ZIP:
            raise NotImplementedError(kind)

"""Forms of a video result, one a file."""

from pathlib import Path

from server.video.sinks.muxed import Muxed
from server.video.sinks.output import Output, Sink
from server.video.sinks.png_zip import PngZip
from server.video.sinks.webp import Webp
from server.video.task import VideoFormat


def open_sink(target: Path, kind: VideoFormat, output: Output) -> Sink:
    """Begin a result of that form at `target`."""
    match kind:
        case VideoFormat.MP4 | VideoFormat.WEBM:
            return Muxed(target, kind, output)
        case VideoFormat.WEBP:
            return Webp(target, output)
        case VideoFormat.PNG_ZIP:
            return PngZip(target, output)

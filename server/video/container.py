"""A video file opened for reading: by its content, by one of two demuxers, and with no way to anything but its bytes.

FFmpeg is given the open file and the demuxer's name. So it guesses no format, resolves no name and no address, and
what a file refers to cannot be opened.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from server.errors import InvalidVideoError
from server.video.boxes import refuse_lies
from server.video.task import VideoLimits

if TYPE_CHECKING:
    AnyPacket: TypeAlias = Packet[Any]
else:
    AnyPacket = Packet  # Generic in its stub alone.

_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"}  # that an ISO or QuickTime file begins with
_EBML = b"\x1a\x45\xdf\xa3"
_DECODERS = {"h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "mpeg4", "prores", "mjpeg"}
_SOUNDS = {"aac", "mp3", "mp3float", "opus", "libopus", "vorbis", "flac", "alac", "ac3", "eac3"}
DAMAGED = "The video is damaged and cannot be read."


@contextmanager
def opened(source: Path, limits: VideoLimits) -> Iterator[InputContainer]:
    """Open a video, with its streams known and none of its frames decoded.

    Raises InvalidVideoError for what is no MP4, MOV, WebM or MKV, and for what its header says is over a limit.
    """
    size = source.stat().st_size
    if size > limits.size:
        raise InvalidVideoError(f"The video has {size} bytes; at most {limits.size} are allowed.")
    with source.open("rb") as file, damage_named():
        demuxer = _demuxer(file.read(12))
        if demuxer == "mov":
            refuse_lies(file, size, limits)
        file.seek(0)
        # FFmpeg's own bounds: for the little that it decodes to know a stream, and for its tables.
        options = {"max_pixels": str(limits.pixels), "max_streams": str(4 * limits.streams)}
        with av.open(
            file, "r", format=demuxer, options=options, metadata_errors="replace", io_open=_refuse_to_open
        ) as container:
            yield container


@contextmanager
def damage_named() -> Iterator[None]:
    """Turn FFmpeg's errors about the bytes that it reads into InvalidVideoError."""
    try:
        yield
    except av.error.MemoryError as error:
        raise InvalidVideoError("The video asks for more streams or memory than a video may have.") from error
    except av.error.FFmpegError as error:
        raise InvalidVideoError(DAMAGED) from error


def picture_stream(container: InputContainer, limits: VideoLimits) -> VideoStream:
    """Return the stream that is shown. Raises InvalidVideoError where there is none that is read."""
    count = len(container.streams)
    if count > limits.streams:
        raise InvalidVideoError(f"The video has {count} streams; at most {limits.streams} are allowed.")
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        raise InvalidVideoError("The file has no video in it.")
    stream = streams[0]
    name = stream.codec_context.name if stream.codec_context is not None else "unknown"
    if name not in _DECODERS:
        raise InvalidVideoError(f"The video is encoded as {name}; H.264, H.265, VP8, VP9, AV1 and MPEG-4 are read.")
    stream.codec_context.options = {"max_pixels": str(limits.pixels)}
    stream.thread_type = "AUTO"
    return stream


def packets_of(container: InputContainer, *streams: Stream | None) -> Iterator[AnyPacket]:
    """Return the packets of these streams, and each stream's last, empty one. Damage is the end."""
    packets = container.demux(*(stream for stream in streams if stream is not None))
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return
        yield packet


def check_sound(stream: AudioStream) -> None:
    """Raise InvalidVideoError for sound that is not read."""
    name = "unknown" if stream.codec_context is None else stream.codec_context.name
    if name not in _SOUNDS and not name.startswith("pcm_"):
        raise InvalidVideoError(f"The video's sound is encoded as {name}; AAC, MP3, Opus, Vorbis and PCM are read.")


def _demuxer(start: bytes) -> str:
    if start[4:8] in _BOXES:
        return "mov"
    if start[:4] == _EBML:
        return "matroska"
    raise InvalidVideoError("The file is not a video that is read: MP4, MOV, WebM or MKV.")


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _refuse_to_open(*_what: object) -> NoReturn:
    raise InvalidVideoError("The video refers to another file.")

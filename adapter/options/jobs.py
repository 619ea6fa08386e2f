"""What is chosen beside the composition when work is left to a job."""

from clearcanvas.v1 import videos_pb2
from clearcanvas.v1.videos_pb2 import VideoFormat, VideoMatting

from adapter.options.backgrounds import MAX_URL, URL
from adapter.options.option import Option, choice, written

_FORMATS: dict[str, VideoFormat.ValueType] = {
    "mp4": videos_pb2.VIDEO_FORMAT_MP4,
    "webm": videos_pb2.VIDEO_FORMAT_WEBM,
    "webp": videos_pb2.VIDEO_FORMAT_WEBP,
    "zip": videos_pb2.VIDEO_FORMAT_PNG_ZIP,
}
_MATTINGS: dict[str, VideoMatting.ValueType] = {
    "auto": videos_pb2.VIDEO_MATTING_AUTO,
    "fast": videos_pb2.VIDEO_MATTING_FAST,
    "quality": videos_pb2.VIDEO_MATTING_QUALITY,
}


def _parse_format(text: str) -> VideoFormat.ValueType:
    if text.lower() not in _FORMATS:
        message = "must be mp4, webm, webp or zip"
        raise ValueError(message)
    return _FORMATS[text.lower()]


def parse_webhook(text: str) -> str:
    """Reads where the end of a job is told; whether it may be called is for the service to say."""
    if not text.lower().startswith(("http://", "https://")) or len(text) > MAX_URL or not text.isprintable():
        message = f"must be an http or https URL of at most {MAX_URL} characters"
        raise ValueError(message)
    return text


WEBHOOK_URL = written(
    ("webhook_url",),
    parse_webhook,
    "",
    "Where the end of the job is told, by a signed POST (Standard Webhooks).",
    "https://example.com/hook",
    grammar={"pattern": URL, "maxLength": MAX_URL},
)
VIDEO_FORMAT: Option[VideoFormat.ValueType] = Option(
    ("format",),
    _parse_format,
    videos_pb2.VIDEO_FORMAT_UNSPECIFIED,
    {
        "type": "string",
        "enum": list(_FORMATS),
        "description": "Form of the result: mp4 for an opaque background, webm with transparency, animated webp, or a "
        "zip of PNGs. Without it, webm where no background is given, else mp4.",
    },
)
MATTING = choice(
    "matting",
    _MATTINGS,
    "auto",
    "How the subject is found: fast (a model for people, every frame), quality (any subject), or whichever will do.",
)

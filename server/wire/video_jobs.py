"""`VideoOrder`: a video's order and its facts as they are kept in a job, and the facts of its result."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clearcanvas.v1 import jobs_pb2 as wire
from clearcanvas.v1 import videos_pb2
from google.protobuf.json_format import MessageToDict, ParseDict

from server.composition import Composition, Generated
from server.errors import InvalidParameterError
from server.video.task import VideoFacts, VideoFormat, VideoMatting, VideoResult
from server.wire.choices import known
from server.wire.compositions import read_composition
from server.wire.messages import check_model_name

_FORMATS = {
    videos_pb2.VIDEO_FORMAT_UNSPECIFIED: None,
    videos_pb2.VIDEO_FORMAT_MP4: VideoFormat.MP4,
    videos_pb2.VIDEO_FORMAT_WEBM: VideoFormat.WEBM,
    videos_pb2.VIDEO_FORMAT_WEBP: VideoFormat.WEBP,
    videos_pb2.VIDEO_FORMAT_PNG_ZIP: VideoFormat.PNG_ZIP,
}
_MATTINGS = {
    videos_pb2.VIDEO_MATTING_UNSPECIFIED: VideoMatting.AUTO,
    videos_pb2.VIDEO_MATTING_AUTO: VideoMatting.AUTO,
    videos_pb2.VIDEO_MATTING_FAST: VideoMatting.FAST,
    videos_pb2.VIDEO_MATTING_QUALITY: VideoMatting.QUALITY,
}
_MATTING_CODES = {
    VideoMatting.AUTO: videos_pb2.VIDEO_MATTING_AUTO,
    VideoMatting.FAST: videos_pb2.VIDEO_MATTING_FAST,
    VideoMatting.QUALITY: videos_pb2.VIDEO_MATTING_QUALITY,
}


@dataclass(frozen=True)
class VideoCall:
    """A valid VideoOrder, but for its pictures."""

    composition: Composition
    format: VideoFormat
    matting: VideoMatting
    model: str  # of the `quality` way; empty means the default


def read_video_order(order: wire.VideoOrder) -> VideoCall:
    """What is to be made, but for the bytes of a picture. Raises `InvalidParameterError`, which names the field."""
    check_model_name(order.model)
    composition = read_composition(order.composition)
    form = known(_FORMATS, order.format, "format")
    if form is None:
        form = VideoFormat.MP4 if composition.opaque else VideoFormat.WEBM
    if not (form.transparent or composition.opaque):
        raise InvalidParameterError(
            "MP4 has no transparency: choose WebM or an opaque background.", {"field": "format"}
        )
    return VideoCall(composition, form, known(_MATTINGS, order.matting, "matting"), order.model)


def write_video_spec(order: wire.VideoOrder, call: VideoCall, facts: VideoFacts) -> dict[str, Any]:
    """The order, without its options and its picture, and the video's facts, as JSON can say them.

    Every attempt at it makes the same. `order`: what `call` was read from; options and picture are taken out of it.
    """
    order.ClearField("options")
    if order.composition.WhichOneof("background") == "picture":
        order.composition.picture.ClearField("image")
    if isinstance(call.composition.background, Generated):
        order.composition.generated.seed = call.composition.background.seed
    return {"order": MessageToDict(order), "video": MessageToDict(write_video_facts(facts))}


def read_video_spec(spec: Mapping[str, Any]) -> VideoCall:
    """What `write_video_spec` wrote, also an older server. Raises as `read_video_order`."""
    return read_video_order(ParseDict(spec["order"], wire.VideoOrder(), ignore_unknown_fields=True))


def read_spec_facts(spec: Mapping[str, Any]) -> videos_pb2.VideoFacts:
    """The facts of the video in a spec."""
    return ParseDict(spec["video"], videos_pb2.VideoFacts(), ignore_unknown_fields=True)


def write_video_facts(facts: VideoFacts) -> videos_pb2.VideoFacts:
    """What a video's header says."""
    return videos_pb2.VideoFacts(
        width=facts.width,
        height=facts.height,
        duration_s=facts.duration_s,
        processed_s=facts.processed_s,
        audio=facts.audio,
    )


def write_video_result(result: VideoResult) -> dict[str, Any]:
    """The facts of a finished video, as JSON can say them."""
    message = videos_pb2.VideoResult(
        frames=result.frames,
        matting=_MATTING_CODES[result.matting],
        models=result.models,
        device=result.device,
        agreement=result.agreement,
    )
    return {"video": MessageToDict(message)}


def read_video_result(facts: Mapping[str, Any]) -> videos_pb2.VideoResult:
    """What `write_video_result` wrote."""
    return ParseDict(facts["video"], videos_pb2.VideoResult(), ignore_unknown_fields=True)

"""Answers that the pages show, written by the functions that answer with them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from clearcanvas.v1 import jobs_pb2, videos_pb2
from clearcanvas.v1.jobs_pb2 import Job, JobResult, Progress
from clearcanvas.v1.videos_pb2 import VideoFacts, VideoResult

from adapter.jobs.events import write_event
from adapter.jobs.failures import HD_PREFIX, HD_SUBMIT, VIDEO_PREFIX, describe_job_failure
from adapter.jobs.states import describe_video, say_accepted, say_at_work, say_failed, say_state, say_uploaded
from adapter.keys.key import Key, Usage, month_of, say_usage
from adapter.middleware.failure import Failure
from adapter.pages.facts import Facts
from adapter.removebg.failures import describe_errors

UUID = "550e8400-e29b-41d4-a716-446655440000"
SECRET = "whsec_BaNeI7yUZ0cg8DsHmUQ3kxTnbK1ZVfJY5bW2GqEoRjM="  # noqa: S105 - nobody's.
_LINK = "https://results.example.com/processed_video.mp4"

_MADE = VideoResult(models=["isnet"], matting=videos_pb2.VIDEO_MATTING_QUALITY)

ENDED: Mapping[str, object] = {
    "type": "job.succeeded",
    "timestamp": "2026-11-22T09:41:27.318Z",
    "data": {"uuid": UUID, "kind": "image", "status": "success"},
}
"""What a webhook is told. The image service writes it: a test holds this against its words."""


@dataclass(frozen=True)
class _Example:
    language: str
    """Of the fenced block."""
    write: Callable[[Facts], str]


def show_answer(name: str, facts: Facts) -> str:
    """An answer as a fenced block. Raises KeyError where there is none of that name."""
    example = _EXAMPLES[name]
    return f"```{example.language}\n{example.write(facts).strip()}\n```"


def _json(say: Callable[[Facts], object]) -> _Example:
    return _Example("json", lambda facts: json.dumps(say(facts), indent=2, ensure_ascii=False))


def _image(**facts: object) -> Job:
    return Job(id=UUID, kind=jobs_pb2.JOB_KIND_IMAGE, **facts)  # type: ignore[arg-type]


def _video(length_s: float, facts: Facts, **others: object) -> Job:
    processed_s = min(length_s, facts.limits.video_s)
    video = VideoFacts(width=1920, height=1080, duration_s=length_s, processed_s=processed_s)
    return Job(id=UUID, kind=jobs_pb2.JOB_KIND_VIDEO, video=video, **others)  # type: ignore[arg-type]


def _too_long_s(facts: Facts) -> float:
    return facts.limits.video_s + 1.2


def _fail(path: str, status: HTTPStatus, code: str, message: str) -> object:
    told = describe_job_failure(path, Failure(status, code, message))
    if told is None:
        message = f"{path} has no words of its own for {code}"
        raise LookupError(message)
    return told[1]


def _event(facts: Facts) -> str:
    running, done = jobs_pb2.JOB_STATE_RUNNING, jobs_pb2.JOB_STATE_SUCCEEDED
    path = f"{VIDEO_PREFIX}result/{UUID}"
    at_work = _video(3.5, facts, state=running, attempt=1, progress=Progress(done=45, total=105))
    ended = _video(3.5, facts, state=done, attempt=1, progress=Progress(done=105, total=105))
    told = (write_event(say_state(at_work, path), last=False), write_event(say_state(ended, path), last=True))
    return b"".join(told).decode()


def _trimmed_headers(facts: Facts) -> str:
    job = _video(_too_long_s(facts), facts, result=JobResult(content_type="video/mp4", video=_MADE))
    return "\n".join(f"{name}: {value}" for name, value in describe_video(job).items())


def _refuse_removebg(_: Facts) -> object:
    failure = Failure(HTTPStatus.FORBIDDEN, "unknown_key", "There is no such API key, or it was revoked.")
    return {"errors": describe_errors(failure)[1]}


def _account(_: Facts) -> object:
    month = month_of(datetime(2026, 11, 22, tzinfo=UTC).timestamp())
    key = Key("9f86d081884c", "shop", ("color", "matte"), 60, 10_000, month.start.timestamp())
    return say_usage(Usage(key, month, 1_234))


_EXAMPLES: Mapping[str, _Example] = {
    "jobs/accepted": _json(lambda _: say_accepted(_image(), "")),
    "jobs/working": _json(lambda _: say_at_work(_image(progress=Progress(done=62, total=100)))),
    "jobs/failed": _json(lambda _: say_failed(_image())),
    "jobs/invalid": _json(lambda _: _fail(HD_SUBMIT, HTTPStatus.BAD_REQUEST, "invalid_image", "")),
    "jobs/unknown": _json(
        lambda _: _fail(f"{HD_PREFIX}result/{UUID}", HTTPStatus.NOT_FOUND, "job_not_found", "Task not found")
    ),
    "jobs/gone": _json(lambda _: _fail(f"{HD_PREFIX}result/{UUID}", HTTPStatus.NOT_FOUND, "result_gone", "")),
    "jobs/events": _Example("text", _event),
    "video/accepted": _json(lambda facts: say_accepted(_video(min(3.5, facts.limits.video_s), facts), "")),
    "video/trimmed": _json(lambda facts: say_accepted(_video(_too_long_s(facts), facts), "")),
    "video/working": _json(lambda facts: say_at_work(_video(3.5, facts, progress=Progress(done=45, total=120)))),
    "video/uploaded": _json(
        lambda facts: say_uploaded(_video(_too_long_s(facts), facts, result=JobResult(upload_link=_LINK)))
    ),
    "video/headers": _Example("http", _trimmed_headers),
    "video/failed": _json(lambda facts: say_failed(_video(3.5, facts))),
    "webhooks/accepted": _json(lambda _: say_accepted(_image(), SECRET)),
    "webhooks/body": _json(lambda _: ENDED),
    "keys/account": _json(_account),
    "removebg/refused": _json(_refuse_removebg),
}

"""The routes of jobs, for OpenAPI and for the page that language models read."""

from collections.abc import Mapping
from typing import Any

from adapter.discovery.answers import (
    describe_file,
    describe_job_errors,
    describe_json,
    describe_nothing,
    describe_picture_headers,
)
from adapter.discovery.components import ANY_KEY, RECEIPTS, refer, refer_headers
from adapter.discovery.images import FILE, describe_form_body, describe_option, name_operation
from adapter.discovery.listings import MEDIA_TYPES
from adapter.jobs.failures import HD_PREFIX, HD_SUBMIT, JOBS_PREFIX, VIDEO_PREFIX, VIDEO_SUBMIT
from adapter.jobs.orders import OPERATION, VIDEO
from adapter.jobs.paid_desk import HD
from adapter.operations import BACKGROUND, IMAGE, OPERATIONS, OUTPUT_OPTIONS
from adapter.options.generation import MODEL
from adapter.options.jobs import MATTING, VIDEO_FORMAT, WEBHOOK_URL
from adapter.options.option import Json, Option
from adapter.options.shadows import SHADOW

SUBMISSIONS: Mapping[str, str] = {HD: HD_SUBMIT, VIDEO: VIDEO_SUBMIT}
"""By their names, as prices know them."""
VIDEO_TYPES = ("video/mp4", "video/webm", "image/webp", "application/zip")
"""What a video's result may be."""

_ACCEPTED_VIDEOS = ("video/mp4", "video/quicktime", "video/webm", "video/x-matroska")
_ETAG: Json = {"description": "Names the result, for If-Range.", "schema": {"type": "string"}}
_VIDEO_FACTS: Mapping[str, str] = {
    "Content-Disposition": "The file's name.",
    "X-Model": "The models that found the subject.",
    "X-Matting": "How it was found: fast or quality.",
    "X-Video-Warning": "Where only the beginning was processed.",
    "X-Original-Duration": "Of the whole video, where only its beginning was processed.",
    "X-Processed-Duration": "Of the beginning.",
}


def list_job_options(kind: str) -> tuple[Option[Any], ...]:
    """What may be chosen of a large picture or a video, each option once, though operations share them."""
    own = [option for row in OPERATIONS for option in row.own_options]
    after = OUTPUT_OPTIONS if kind == HD else (SHADOW, VIDEO_FORMAT, MATTING, MODEL)
    found = {option.name: option for option in (OPERATION, *own, *after, WEBHOOK_URL)}
    return tuple(found.values())


def describe_jobs(payments: Mapping[str, Mapping[str, Json]]) -> dict[str, dict[str, Json]]:
    """The paths. `payments`: how each of SUBMISSIONS is paid for."""
    image = _describe_submission(HD, IMAGE, "Have a large picture edited.")
    video = _describe_submission(VIDEO, VIDEO, "Lay a video's subject over another background, or cut it out.")
    picture_headers = describe_picture_headers(timed=False, painted=True)
    video_headers = {name: {"description": text, "schema": {"type": "string"}} for name, text in _VIDEO_FACTS.items()}
    return {
        HD_SUBMIT: {"post": {**image, **payments[HD]}},
        f"{HD_PREFIX}result/{{uuid}}": {"get": _describe_result(HD_PREFIX, MEDIA_TYPES, picture_headers)},
        VIDEO_SUBMIT: {"post": {**video, **payments[VIDEO]}},
        f"{VIDEO_PREFIX}result/{{uuid}}": {"get": _describe_result(VIDEO_PREFIX, VIDEO_TYPES, video_headers)},
        f"{JOBS_PREFIX}{{uuid}}/events": {"get": _describe_events()},
        f"{JOBS_PREFIX}{{uuid}}": {"delete": _describe_deletion()},
    }


def _describe_operation(name: str, summary: str, *parameters: str) -> dict[str, object]:
    return {
        "operationId": name,
        "tags": ["Jobs"],
        "summary": summary,
        "security": [*ANY_KEY, {}],
        "parameters": [refer("parameters", parameter) for parameter in (*parameters, "RequestId")],
    }


def _describe_submission(kind: str, file: str, summary: str) -> dict[str, object]:
    is_picture = kind == HD
    files: dict[str, Json] = {
        file: {**FILE, "description": "PNG, JPEG or WebP." if is_picture else "MP4, MOV, WebM or MKV. Also: file."},
        BACKGROUND: {**FILE, "description": "The background of the operation picture."},
    }
    options = {option.name: describe_option(option) for option in list_job_options(kind)}
    # Fields that operations share under one name, and read in different ways.
    options["kind"] = {
        "type": "string",
        "enum": ["linear", "radial", "gaussian", "lens"],
        "description": "Of a gradient, linear or radial; of a blur, gaussian or lens.",
    }
    schema: Json = {"type": "object", "required": [file], "properties": files | options}
    types = {file: MEDIA_TYPES if is_picture else _ACCEPTED_VIDEOS, BACKGROUND: MEDIA_TYPES}
    accepted = "Accepted: `uuid` names the job. Ask for its result, or listen to its events."
    return {
        **_describe_operation(name_operation(SUBMISSIONS[kind]), summary, "IdempotencyKey"),
        "requestBody": {"required": True, "content": describe_form_body(schema, types)},
        "responses": {
            "202": describe_json(accepted, "JobAccepted"),
            **describe_job_errors(400, 401, 402, 403, 408, 409, 410, 413, 415, 417, 422, 429, 500, 503, 504),
        },
    }


def _describe_result(prefix: str, media_types: tuple[str, ...], facts: Mapping[str, Json]) -> Json:
    headers = {"ETag": _ETAG, **facts, **refer_headers(*RECEIPTS)}
    is_video = prefix == VIDEO_PREFIX
    text = "The result; of a video that was uploaded elsewhere, its address." if is_video else "The result."
    return {
        **_describe_operation(
            f"{name_operation(prefix)}-result",
            "The result, or how far it is. It is removed once it was fetched whole; Range goes on with a part.",
            *("JobId", "Range", "IfRange"),
        ),
        "responses": {
            "200": describe_file(text, media_types, headers, or_json="VideoUploaded" if is_video else ""),
            "202": describe_json("Still at work; the progress, once it is known.", "JobAtWork"),
            "206": describe_file("A part of the result.", media_types, headers),
            "304": describe_nothing("If-None-Match names the result."),
            **describe_job_errors(400, 401, 402, 403, 404, 409, 410, 429, 500, 503, 504),
            "412": describe_nothing("If-Match names another result."),
            "416": describe_nothing("The part lies behind the end."),
        },
    }


def _describe_events() -> Json:
    news = "Server-sent events: `event` is the job's status, `data` the job as JSON."
    return {
        **_describe_operation(
            "jobs-events", "The job's state and progress as they change, until it ends.", "JobId", "LastEventId"
        ),
        "responses": {
            "200": describe_file(news, ("text/event-stream",), {}),
            "204": describe_nothing("The caller has had the last event already."),
            **describe_job_errors(400, 401, 404, 429, 500, 503, 504),
        },
    }


def _describe_deletion() -> Json:
    return {
        **_describe_operation(
            "jobs-delete", "Ends the job where it is at work, and removes it with its result.", "JobId"
        ),
        "responses": {
            "204": describe_nothing("It is gone."),
            **describe_job_errors(400, 401, 404, 409, 429, 500, 503, 504),
        },
    }

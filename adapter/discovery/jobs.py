"""The routes of jobs, for OpenAPI and for the page that language models read."""

from collections.abc import Iterable, Mapping
from typing import Any

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

_BYTES: Json = {"type": "string", "contentMediaType": "application/octet-stream"}
_UUID: Json = {"name": "uuid", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
_RETRY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 255},
    "description": "A name of yours for the request: sent again with it, it is the same job.",
}


def list_job_options(kind: str) -> tuple[Option[Any], ...]:
    """What may be chosen of a large picture or a video, each option once, though operations share them."""
    own = [option for row in OPERATIONS for option in row.own_options]
    after = OUTPUT_OPTIONS if kind == HD else (SHADOW, VIDEO_FORMAT, MATTING, MODEL)
    found = {option.name: option for option in (OPERATION, *own, *after, WEBHOOK_URL)}
    return tuple(found.values())


def describe_jobs(security: Iterable[Json], payments: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    """The paths. `security`: who may use them; `payments`: how each of SUBMISSIONS is paid for."""
    common: Json = {"security": [*security, {}]}
    image = _describe_submission(HD, IMAGE, "Have a large picture edited.")
    video = _describe_submission(VIDEO, VIDEO, "Lay a video's subject over another background, or cut it out.")
    return {
        HD_SUBMIT: {"post": {**common, **image, **payments[HD]}},
        f"{HD_PREFIX}result/{{uuid}}": {"get": {**common, **_describe_result("image/png", "image/webp", "image/jpeg")}},
        VIDEO_SUBMIT: {"post": {**common, **video, **payments[VIDEO]}},
        f"{VIDEO_PREFIX}result/{{uuid}}": {
            "get": {**common, **_describe_result("video/mp4", "video/webm", "image/webp", "application/zip")}
        },
        f"{JOBS_PREFIX}{{uuid}}/events": {"get": {**common, **_describe_events()}},
        f"{JOBS_PREFIX}{{uuid}}": {"delete": {**common, **_describe_deletion()}},
    }


def _describe_submission(kind: str, file: str, summary: str) -> Json:
    files = {
        file: {**_BYTES, "description": "PNG, JPEG or WebP." if kind == HD else "MP4, MOV, WebM or MKV. Also: file."},
        BACKGROUND: {**_BYTES, "description": "The background of the operation picture."},
    }
    options = {option.name: dict(option.schema) for option in list_job_options(kind)}
    # Fields that operations share under one name, and read in different ways.
    options["kind"] = {"type": "string", "description": "Of a gradient, linear or radial; of a blur, gaussian or lens."}
    schema: Json = {"type": "object", "required": [file], "properties": files | options}
    return {
        "operationId": SUBMISSIONS[kind].strip("/").replace("/", "-"),
        "summary": summary,
        "parameters": [_RETRY],
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}},
        "responses": {
            "202": _json("Accepted: `uuid` names the job. Ask for its result, or listen to its events."),
            "400": _json("The file cannot be used, or its background; `detail` says why."),
            **_failures(401, 402, 403, 408, 409, 410, 413, 415, 422, 429, 500, 503),
        },
    }


def _describe_result(*media_types: str) -> Json:
    return {
        "summary": "The result, or how far it is. It is removed once it was fetched whole; Range goes on with a part.",
        "parameters": [_UUID],
        "responses": {
            "200": {
                "description": "The result; of a video that was uploaded elsewhere, `upload_link` in JSON.",
                "content": {media_type: {"schema": {}} for media_type in (*media_types, "application/json")},
            },
            "202": _json("Still at work; the progress, once it is known."),
            "206": {"description": "A part of the result.", "content": {name: {"schema": {}} for name in media_types}},
            "404": _json("No such job, or its result was fetched or is kept no longer."),
            "416": {"description": "The part lies behind the end."},
            **_failures(401, 402, 403, 409, 410, 500, 503),
        },
    }


def _describe_events() -> Json:
    return {
        "summary": "The job's state and progress as they change, until it ends.",
        "parameters": [_UUID],
        "responses": {
            "200": {"description": "Server-sent events.", "content": {"text/event-stream": {"schema": {}}}},
            **_failures(401, 404, 503),
        },
    }


def _describe_deletion() -> Json:
    return {
        "summary": "Ends the job where it is at work, and removes it with its result.",
        "parameters": [_UUID],
        "responses": {"204": {"description": "It is gone."}, **_failures(401, 404, 503)},
    }


_TEXTS: Mapping[int, str] = {
    401: "An API key is needed, and none or an unknown one came.",
    402: "Payment required: x402 in the body and in PAYMENT-REQUIRED, MPP in WWW-Authenticate.",
    403: "The key may not use this operation, or its quota is used up.",
    404: "No such job.",
    409: "Another request came with that Idempotency-Key.",
    408: "The body did not arrive in time.",
    410: "The payment was delivered, and its result is kept no longer.",
    413: "A file is too large.",
    415: "Not multipart/form-data.",
    422: "A field is missing or malformed; `fields` says what is wrong with each.",
    429: "Too many requests a minute.",
    500: "It failed.",
    503: "Unavailable; try again later.",
}


def _failures(*statuses: int) -> dict[str, Json]:
    return {str(status): _json(_TEXTS[status]) for status in statuses}


def _json(description: str) -> Json:
    return {"description": description, "content": {"application/json": {"schema": {"type": "object"}}}}

"""The bodies of errors. Each surface has its own, which its path chooses.

`/v1/` is the paid one, `/v1.0/` is remove.bg's, the jobs' have words for some failures, and all else has the forms'
shape.
"""

import json
from http import HTTPStatus

from aiohttp import hdrs, web

from adapter import metrics
from adapter.jobs.failures import describe_job_failure
from adapter.middleware.failure import Failure
from adapter.middleware.request_id import request_id_of
from adapter.removebg.failures import describe_errors
from adapter.sale.headers import pays_by_mpp

PAID_PREFIX = "/v1/"
REMOVEBG_PREFIX = "/v1.0/"

# The Payment scheme's own words for refusals that come without a challenge (RFC 9457 says what stands for no word).
_PROBLEMS = {
    HTTPStatus.BAD_REQUEST: "https://paymentauth.org/problems/malformed-credential",
    HTTPStatus.FORBIDDEN: "https://paymentauth.org/problems/verification-failed",
}
_PROBLEM_TYPE = "application/problem+json"

# The paid surface knows fewer statuses: its Content-Type was good when the bytes are judged, and late is unavailable.
_PAID_STATUS = {
    "unsupported_format": HTTPStatus.BAD_REQUEST,
    "deadline_exceeded": HTTPStatus.SERVICE_UNAVAILABLE,
}
_PROCESSING_FAILED = "Processing failed. The same request, with the same payment, may be sent again."


def to_response(request: web.BaseRequest, failure: Failure) -> web.Response:
    """Answers `request` with `failure`, in the shape of its surface, and counts it."""
    metrics.count_rejection(failure.code)
    if request.path.startswith(REMOVEBG_PREFIX):
        status, problems = describe_errors(failure)
        content: dict[str, object] = {"errors": problems}
        return _respond(failure, content, status=status, content_type="application/json", pause_s=failure.retry_after_s)
    if not request.path.startswith(PAID_PREFIX):
        return _to_job_body(request, failure) or to_message_body(failure)
    status = _PAID_STATUS.get(failure.code, failure.status)
    body: dict[str, object] = {
        "error": failure.code,
        "message": _PROCESSING_FAILED if status == HTTPStatus.INTERNAL_SERVER_ERROR else failure.message,
        "retryable": failure.retryable,
        "request_id": request_id_of(request),
    }
    if failure.fields:
        body["fields"] = dict(failure.fields)
    content_type = "application/json"
    if failure.of_payment and not failure.retryable and pays_by_mpp(request.headers):
        content_type = _PROBLEM_TYPE
        body |= {"type": _PROBLEMS.get(status, "about:blank"), "title": status.phrase, "status": status}
        body["detail"] = failure.message
    pause_s = failure.retry_after_s
    if pause_s is None and status == HTTPStatus.SERVICE_UNAVAILABLE:
        pause_s = 1
    return _respond(failure, body, status=status, content_type=content_type, pause_s=pause_s)


def to_message_body(failure: Failure) -> web.Response:
    """The shape of the image operations: `{"message": …}`, and `fields` where fields are wrong."""
    body: dict[str, object] = {"message": failure.message}
    if failure.fields:
        body["fields"] = dict(failure.fields)
    return _respond(
        failure, body, status=failure.status, content_type="application/json", pause_s=failure.retry_after_s
    )


def _to_job_body(request: web.BaseRequest, failure: Failure) -> web.Response | None:
    words = describe_job_failure(request.path, failure)
    if words is None:
        return None
    status, body = words
    return _respond(failure, body, status=status, content_type="application/json", pause_s=failure.retry_after_s)


def _respond(
    failure: Failure, body: dict[str, object], *, status: HTTPStatus, content_type: str, pause_s: int | None
) -> web.Response:
    headers = {hdrs.CACHE_CONTROL: "no-store", **failure.headers}
    if pause_s is not None:
        headers[hdrs.RETRY_AFTER] = str(pause_s)
    return web.Response(body=json.dumps(body).encode(), status=status, content_type=content_type, headers=headers)

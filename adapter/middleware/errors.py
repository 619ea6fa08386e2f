"""The one map from failures to HTTP: to a status, a machine code and a sentence."""

import logging
import math
from http import HTTPStatus

import grpc
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from adapter import errors
from adapter.middleware.failure import Failure
from adapter.middleware.request_id import request_id_of
from adapter.middleware.shapes import to_response
from adapter.payments.errors import (
    MalformedPaymentError,
    PaymentError,
    PaymentRequiredError,
    PaymentSpentError,
    RequestMismatchError,
    ResultExpiredError,
    RetryablePaymentError,
)

logger = logging.getLogger(__name__)

_DOMAIN = "clearcanvas"
_UNEXPECTED = "Internal Server Error"
_INVALID_DATA = "Invalid request data"
_SENTENCES = {
    "PIXELS_EXCEEDED": "Image too large for regular processing. Use HD endpoint.",
    "NO_TRANSPARENCY": "The input image must have a transparent background.",
    "JOB_NOT_FOUND": "Task not found",
    "JOB_CONFLICT": "Another request was submitted with that Idempotency-Key.",
}
# Fields of the image service that have another name here, where this side cannot know what is wrong with them.
_PUBLIC_NAMES = {"generated.model": "generation_model", "options.webhook_url": "webhook_url"}
_UNAVAILABLE = "The image service is unavailable. Try again later."
_TIMED_OUT = "The image was not ready in time."
_RETRY_AFTER_S = 1  # Where the service names no pause of its own.
_FAILED, _LATE, _GONE = "processing_failed", "deadline_exceeded", "processor_unavailable"

_OWN: dict[type[errors.AdapterError], tuple[HTTPStatus, str]] = {
    errors.MalformedBodyError: (HTTPStatus.BAD_REQUEST, "malformed_body"),
    errors.InvalidPictureError: (HTTPStatus.BAD_REQUEST, "invalid_image"),
    errors.DownloadError: (HTTPStatus.BAD_REQUEST, "download_failed"),
    errors.NotAPictureError: (HTTPStatus.BAD_REQUEST, "not_a_picture"),
    errors.NotAVideoError: (HTTPStatus.BAD_REQUEST, "not_a_video"),
    errors.VideoColorError: (HTTPStatus.BAD_REQUEST, "invalid_video_color"),
    errors.JobNotFoundError: (HTTPStatus.NOT_FOUND, "job_not_found"),
    errors.ResultGoneError: (HTTPStatus.NOT_FOUND, "result_gone"),
    errors.MalformedKeyError: (HTTPStatus.BAD_REQUEST, "malformed_idempotency_key"),
    errors.RemovebgError: (HTTPStatus.BAD_REQUEST, "invalid_request"),
    errors.NoForegroundError: (HTTPStatus.BAD_REQUEST, "no_subject"),
    errors.InvalidHostError: (HTTPStatus.BAD_REQUEST, "invalid_host"),
    errors.PaymentNotOfferedError: (HTTPStatus.UNAUTHORIZED, "payment_not_offered"),
    errors.AmbiguousKeyError: (HTTPStatus.BAD_REQUEST, "ambiguous_key"),
    errors.KeyRequiredError: (HTTPStatus.UNAUTHORIZED, "key_required"),
    errors.UnknownKeyError: (HTTPStatus.UNAUTHORIZED, "unknown_key"),
    errors.OperationForbiddenError: (HTTPStatus.FORBIDDEN, "operation_forbidden"),
    errors.QuotaUsedUpError: (HTTPStatus.FORBIDDEN, "quota_used_up"),
    errors.RateLimitedError: (HTTPStatus.TOO_MANY_REQUESTS, "rate_limited"),
    errors.UploadTimeoutError: (HTTPStatus.REQUEST_TIMEOUT, "upload_timeout"),
    errors.PayloadTooLargeError: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "payload_too_large"),
    errors.UnsupportedMediaTypeError: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
    errors.InvalidFieldsError: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_parameter"),
    errors.KeysUnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, "keys_unavailable"),
    errors.OverloadedError: (HTTPStatus.SERVICE_UNAVAILABLE, "overloaded"),
    errors.SpoolError: (HTTPStatus.SERVICE_UNAVAILABLE, "overloaded"),
    errors.ShuttingDownError: (HTTPStatus.SERVICE_UNAVAILABLE, "shutting_down"),
    errors.BrokenResultError: (HTTPStatus.INTERNAL_SERVER_ERROR, _FAILED),
}

# RFC 6750; without an error where the request brought no key at all.
_KEY_CHALLENGES: dict[type[errors.AdapterError], dict[str, str]] = {
    errors.KeyRequiredError: {hdrs.WWW_AUTHENTICATE: 'Bearer realm="clearcanvas"'},
    errors.UnknownKeyError: {hdrs.WWW_AUTHENTICATE: 'Bearer realm="clearcanvas", error="invalid_token"'},
}

# Money. Only an error after which certainly nothing has moved may be a 402: a client pays every challenge it sees.
_PAYMENT_STATUS: dict[type[PaymentError], HTTPStatus] = {
    MalformedPaymentError: HTTPStatus.BAD_REQUEST,
    PaymentRequiredError: HTTPStatus.PAYMENT_REQUIRED,
    PaymentSpentError: HTTPStatus.FORBIDDEN,
    RequestMismatchError: HTTPStatus.CONFLICT,
    ResultExpiredError: HTTPStatus.GONE,
    RetryablePaymentError: HTTPStatus.SERVICE_UNAVAILABLE,
}

# By ErrorReason, without its prefix.
_REASON_STATUS: dict[str, HTTPStatus] = {
    "INVALID_IMAGE": HTTPStatus.BAD_REQUEST,
    "UNSUPPORTED_FORMAT": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "DIMENSION_EXCEEDED": HTTPStatus.BAD_REQUEST,
    "PIXELS_EXCEEDED": HTTPStatus.BAD_REQUEST,
    "PAYLOAD_TOO_LARGE": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "INVALID_PARAMETER": HTTPStatus.UNPROCESSABLE_ENTITY,
    "MODEL_NOT_FOUND": HTTPStatus.UNPROCESSABLE_ENTITY,
    "OVERLOADED": HTTPStatus.SERVICE_UNAVAILABLE,
    "MODEL_UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
    "WORKER_LOST": HTTPStatus.SERVICE_UNAVAILABLE,
    "SHUTTING_DOWN": HTTPStatus.SERVICE_UNAVAILABLE,
    "DEADLINE_EXCEEDED": HTTPStatus.GATEWAY_TIMEOUT,
    "PROCESSING_FAILED": HTTPStatus.INTERNAL_SERVER_ERROR,
    "NO_TRANSPARENCY": HTTPStatus.BAD_REQUEST,
    "NO_SUBJECT": HTTPStatus.BAD_REQUEST,
    "INVALID_VIDEO": HTTPStatus.BAD_REQUEST,
    "JOB_NOT_FOUND": HTTPStatus.NOT_FOUND,
    "RESULT_GONE": HTTPStatus.NOT_FOUND,
    "JOB_NOT_FINISHED": HTTPStatus.CONFLICT,
    "JOB_FAILED": HTTPStatus.CONFLICT,
    "JOB_CONFLICT": HTTPStatus.CONFLICT,
    "STORE_UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
    # Of this program's own certificate, and of a service that it never calls: nothing that a client is told of.
    "NOT_ALLOWED": HTTPStatus.INTERNAL_SERVER_ERROR,
    "MODEL_REFUSED": HTTPStatus.INTERNAL_SERVER_ERROR,
    "MODEL_BUSY": HTTPStatus.INTERNAL_SERVER_ERROR,
}

# Where there is no ErrorInfo: gRPC itself speaks, not the image service.
_CODE_STATUS: dict[grpc.StatusCode, HTTPStatus] = {
    grpc.StatusCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED: HTTPStatus.SERVICE_UNAVAILABLE,
    grpc.StatusCode.CANCELLED: HTTPStatus.SERVICE_UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: HTTPStatus.GATEWAY_TIMEOUT,
}


def describe(error: Exception) -> Failure:
    """Translates any failure. What is not foreseen is a 500 that tells nothing."""
    if isinstance(error, errors.AdapterError):
        return _describe_own(error)
    if isinstance(error, PaymentError):
        return _describe_payment(error)
    if isinstance(error, grpc.aio.AioRpcError):
        return _describe_service(error)
    if isinstance(error, web.HTTPException):
        return _describe_http(error)
    if isinstance(error, TimeoutError):
        return Failure(HTTPStatus.GATEWAY_TIMEOUT, _LATE, _TIMED_OUT)
    return Failure(HTTPStatus.INTERNAL_SERVER_ERROR, _FAILED, _UNEXPECTED)


def summarize(error: Exception) -> str:
    """One line for the log; gRPC's own repr has many."""
    if isinstance(error, grpc.aio.AioRpcError):
        return f"{error.code().name} {error.details()!r}"
    return repr(error)


def read_reason(error: grpc.aio.AioRpcError) -> str:
    """The name of the service's ErrorReason, without its prefix; empty where gRPC itself speaks."""
    return str(_read_details(error)[0].reason)


@web.middleware
async def map_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns every exception of the handlers into an answer."""
    try:
        return await handler(request)
    except ConnectionError:  # The client is gone: nobody is left to answer.
        raise
    except Exception as error:
        failure = describe(error)
        if failure.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.error("request %s failed: %s", request_id_of(request), summarize(error), exc_info=error)
        elif failure.status > HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.warning("request %s: %d after %s", request_id_of(request), failure.status, summarize(error))
        return to_response(request, failure)


def _describe_own(error: errors.AdapterError) -> Failure:
    status, code = _OWN[type(error)]
    if isinstance(error, errors.RemovebgError):
        return Failure(status, error.code, error.message, detail=error.detail)
    pause_s = _RETRY_AFTER_S if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return Failure(
        status,
        code,
        _UNEXPECTED if status == HTTPStatus.INTERNAL_SERVER_ERROR else error.message,
        fields=error.fields if isinstance(error, errors.InvalidFieldsError) else {},
        retry_after_s=error.retry_after_s if isinstance(error, errors.RateLimitedError) else pause_s,
        headers=_KEY_CHALLENGES.get(type(error), {}),
    )


def _describe_payment(error: PaymentError) -> Failure:
    status = next(_PAYMENT_STATUS[kind] for kind in type(error).__mro__ if kind in _PAYMENT_STATUS)
    pause_s = error.retry_after_s if isinstance(error, RetryablePaymentError) else None
    return Failure(status, error.reason, error.message, retry_after_s=pause_s, of_payment=True)


def _describe_http(error: web.HTTPException) -> Failure:
    """aiohttp's own refusals: unknown path, wrong method, a bad Expect."""
    status = HTTPStatus(error.status)
    allow = error.headers.get(hdrs.ALLOW)
    code = status.phrase.lower().replace(" ", "_")
    return Failure(status, code, status.phrase, headers={hdrs.ALLOW: allow} if allow else {})


def _describe_service(error: grpc.aio.AioRpcError) -> Failure:
    info, retry_after_s = _read_details(error)
    status = _REASON_STATUS.get(info.reason) or _CODE_STATUS.get(error.code(), HTTPStatus.INTERNAL_SERVER_ERROR)
    code, sentence = info.reason.lower(), error.details() or ""
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return Failure(status, code or _GONE, sentence if code else _UNAVAILABLE, retry_after_s=retry_after_s)
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        name = info.metadata.get("field", "model" if info.reason == "MODEL_NOT_FOUND" else "")
        public = _PUBLIC_NAMES.get(name, name)
        return Failure(status, code, _INVALID_DATA, fields={public: sentence.replace(name, public)} if name else {})
    if status == HTTPStatus.GATEWAY_TIMEOUT:
        return Failure(status, _LATE, _TIMED_OUT)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return Failure(status, _FAILED, _UNEXPECTED)
    return Failure(status, code, _SENTENCES.get(info.reason, sentence))


def _read_details(error: grpc.aio.AioRpcError) -> tuple[error_details_pb2.ErrorInfo, int]:
    """ErrorInfo (empty where there is none of ours) and the pause before a retry, in whole seconds, at least 1.

    Never raises: details that cannot be read count as none.
    """
    info, retry, status = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo(), status_pb2.Status()
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            try:
                status.ParseFromString(value)
                for detail in status.details:
                    if not detail.Unpack(info):
                        detail.Unpack(retry)
            except DecodeError:
                logger.warning("the image service sent status details that cannot be read")
    pause = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    return (info if info.domain == _DOMAIN else error_details_pb2.ErrorInfo()), max(_RETRY_AFTER_S, math.ceil(pause))

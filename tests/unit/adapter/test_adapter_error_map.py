"""The map from failures to HTTP."""

import json
from typing import Any

import grpc
import pytest
from aiohttp import web
from clearcanvas.v1.errors_pb2 import ErrorReason
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc.aio import AioRpcError, Metadata
from hypothesis import given
from hypothesis import strategies as st

from adapter import errors
from adapter.middleware.errors import describe
from adapter.middleware.shapes import to_message_body
from adapter.payments import errors as payment_errors

REASONS = [name.removeprefix("ERROR_REASON_") for name, number in ErrorReason.items() if number]
DETAILS = "grpc-status-details-bin"

# http-contract.md B and architecture.md §6, by reason.
EXPECTED = {
    "INVALID_IMAGE": 400,
    "UNSUPPORTED_FORMAT": 415,
    "DIMENSION_EXCEEDED": 400,
    "PIXELS_EXCEEDED": 400,
    "PAYLOAD_TOO_LARGE": 413,
    "INVALID_PARAMETER": 422,
    "MODEL_NOT_FOUND": 422,
    "NO_TRANSPARENCY": 400,
    "NO_SUBJECT": 400,
    "OVERLOADED": 503,
    "WORKER_LOST": 503,
    "MODEL_UNAVAILABLE": 503,
    "SHUTTING_DOWN": 503,
    "DEADLINE_EXCEEDED": 504,
    "PROCESSING_FAILED": 500,
    "INVALID_VIDEO": 400,
    "JOB_NOT_FOUND": 404,
    "RESULT_GONE": 404,
    "JOB_NOT_FINISHED": 409,
    "JOB_FAILED": 409,
    "JOB_CONFLICT": 409,
    "STORE_UNAVAILABLE": 503,
    "NOT_ALLOWED": 500,
    "MODEL_REFUSED": 500,
    "MODEL_BUSY": 500,
}


def rpc_error(
    code: grpc.StatusCode,
    reason: str = "",
    domain: str = "clearcanvas",
    *,
    details: bytes = b"",
    metadata: dict[str, str] | None = None,
) -> AioRpcError:
    if reason:
        packed = AnyMessage()
        packed.Pack(ErrorInfo(reason=reason, domain=domain, metadata=metadata))
        details = Status(code=code.value[0], details=[packed]).SerializeToString()
    return AioRpcError(code, Metadata(), Metadata((DETAILS, details)) if details else Metadata(), details="a sentence")


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_the_contract_has_its_status(reason: str) -> None:
    failure = describe(rpc_error(grpc.StatusCode.UNKNOWN, reason))
    assert failure.status == EXPECTED[reason]
    assert (failure.retry_after_s is not None) == (failure.status == 503)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("PIXELS_EXCEEDED", "Image too large for regular processing. Use HD endpoint."),
        ("NO_TRANSPARENCY", "The input image must have a transparent background."),
        ("NO_SUBJECT", "a sentence"),
    ],
)
def test_published_words_stand_in_for_the_service_s_own(reason: str, sentence: str) -> None:
    failure = describe(rpc_error(grpc.StatusCode.INVALID_ARGUMENT, reason))
    assert (failure.status, failure.message) == (400, sentence)


@pytest.mark.parametrize(
    ("reason", "metadata", "name"),
    [
        ("INVALID_PARAMETER", {"field": "blur.radius"}, "blur.radius"),
        ("INVALID_PARAMETER", {"field": "generated.model"}, "generation_model"),
        ("INVALID_PARAMETER", {"field": "options.webhook_url"}, "webhook_url"),
        ("MODEL_NOT_FOUND", {"model": "isnot"}, "model"),
        ("MODEL_NOT_FOUND", {"model": "isnot", "field": "generated.model"}, "generation_model"),
    ],
)
def test_a_wrong_field_has_its_public_name(reason: str, metadata: dict[str, str], name: str) -> None:
    failure = describe(rpc_error(grpc.StatusCode.INVALID_ARGUMENT, reason, metadata=metadata))
    assert (failure.status, failure.fields) == (422, {name: "a sentence"})


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("UNAVAILABLE", 503),
        ("RESOURCE_EXHAUSTED", 503),
        ("CANCELLED", 503),
        ("DEADLINE_EXCEEDED", 504),
        ("INTERNAL", 500),
        ("UNKNOWN", 500),
        ("INVALID_ARGUMENT", 500),
        ("UNIMPLEMENTED", 500),
    ],
)
def test_grpc_s_own_failures_go_by_their_code_and_tell_nothing(code: str, status: int) -> None:
    failure = describe(rpc_error(grpc.StatusCode[code]))
    assert failure.status == status
    assert "a sentence" not in failure.message


def test_a_foreign_reason_is_not_ours() -> None:
    assert describe(rpc_error(grpc.StatusCode.INTERNAL, "INVALID_IMAGE", "googleapis.com")).status == 500


@given(st.binary(min_size=1, max_size=200))
def test_details_that_cannot_be_read_do_not_break_the_map(details: bytes) -> None:
    assert describe(rpc_error(grpc.StatusCode.UNAVAILABLE, details=details)).status == 503


ARGUMENTS: dict[type[errors.AdapterError], tuple[Any, ...]] = {
    errors.InvalidFieldsError: ({"radius": "must be 1 to 100"},),
    errors.DownloadError: (),
    errors.NotAPictureError: (),
    errors.NotAVideoError: (),
    errors.VideoColorError: (),
    errors.JobNotFoundError: (),
    errors.ResultGoneError: (),
    errors.NoForegroundError: (),
    errors.RateLimitedError: ("why", 3),
}


@pytest.mark.parametrize("error", errors.AdapterError.__subclasses__())
def test_every_error_of_the_adapter_has_its_status(error: type[errors.AdapterError]) -> None:
    raised = error(*ARGUMENTS.get(error, ("why",)))
    assert 400 <= describe(raised).status <= 503
    assert describe(raised).code


def all_payment_errors(root: type[payment_errors.PaymentError]) -> list[type[payment_errors.PaymentError]]:
    return [root, *(found for child in root.__subclasses__() for found in all_payment_errors(child))]


@pytest.mark.parametrize("error", all_payment_errors(payment_errors.PaymentError)[1:])
def test_every_payment_error_has_its_status_and_only_what_moved_nothing_is_402(
    error: type[payment_errors.PaymentError],
) -> None:
    failure = describe(error("a_reason", "A sentence."))
    assert (failure.code, failure.message, failure.of_payment) == ("a_reason", "A sentence.", True)
    assert (failure.status == 402) == issubclass(error, payment_errors.PaymentRequiredError)
    retryable = issubclass(error, payment_errors.RetryablePaymentError)
    assert (failure.status == 503) == retryable == failure.retryable == (failure.retry_after_s == 1)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (web.HTTPNotFound(), 404, "Not Found"),
        (web.HTTPMethodNotAllowed("GET", ["POST"]), 405, "Method Not Allowed"),
        (TimeoutError(), 504, "The image was not ready in time."),
        (errors.BrokenResultError("secret"), 500, "Internal Server Error"),
        (RuntimeError("secret"), 500, "Internal Server Error"),
        (errors.PayloadTooLargeError("too large"), 413, "too large"),
    ],
)
def test_status_and_sentence(error: Exception, status: int, message: str) -> None:
    failure = describe(error)
    assert (failure.status, failure.message) == (status, message)


def test_the_body_of_wrong_fields() -> None:
    response = to_message_body(describe(errors.InvalidFieldsError({"radius": "must be 1 to 100"})))
    assert response.status == 422
    assert json.loads(response.text or "") == {
        "message": "Invalid request data",
        "fields": {"radius": "must be 1 to 100"},
    }


def test_a_refused_method_names_the_allowed_ones() -> None:
    assert to_message_body(describe(web.HTTPMethodNotAllowed("GET", ["POST"]))).headers["Allow"] == "POST"

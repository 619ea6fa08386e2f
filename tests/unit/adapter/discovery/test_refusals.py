"""The rows of the guides' tables of errors are what the code says, all of it."""

import ast
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2, status_pb2

import adapter.payments
from adapter import access, errors
from adapter.discovery.refusals import BODY_REFUSALS, FORM_REFUSALS, Refusal
from adapter.middleware.errors import describe
from adapter.payments import errors as payment_errors
from adapter.payments.errors import MalformedPaymentError, PaymentError, PaymentRequiredError

ROWS = [*BODY_REFUSALS, *FORM_REFUSALS]
# Where the paid surface has another status than the forms: its Content-Type is good, and late is unavailable.
PAID_ONLY = {(400, "unsupported_format"), (503, "deadline_exceeded")}
# MPP has a credential that cannot be read answered with a fresh challenge.
CHALLENGED = {"malformed_credential", "method_unsupported"}


def _own() -> dict[str, errors.AdapterError]:
    """Every error of the adapter that these surfaces meet, by its machine code."""
    made: list[errors.AdapterError] = [
        kind("why")
        for kind in (
            errors.MalformedBodyError,
            errors.InvalidPictureError,
            errors.InvalidHostError,
            errors.PaymentNotOfferedError,
            errors.AmbiguousKeyError,
            errors.KeyRequiredError,
            errors.UnknownKeyError,
            errors.OperationForbiddenError,
            errors.UploadTimeoutError,
            errors.PayloadTooLargeError,
            errors.UnsupportedMediaTypeError,
            errors.KeysUnavailableError,
            errors.OverloadedError,
            errors.ShuttingDownError,
            errors.BrokenResultError,
        )
    ]
    made += [errors.DownloadError(), errors.NotAPictureError(), errors.QuotaUsedUpError(access.USED_UP)]
    made += [errors.RateLimitedError("why", 1), errors.InvalidFieldsError({})]
    return {describe(error).code: error for error in made}


def _service_error(reason: str) -> grpc.aio.AioRpcError:
    detail = Any()
    detail.Pack(error_details_pb2.ErrorInfo(domain="clearcanvas", reason=reason))
    status = status_pb2.Status(details=[detail]).SerializeToString()
    trailing = grpc.aio.Metadata(("grpc-status-details-bin", status))
    return grpc.aio.AioRpcError(grpc.StatusCode.UNKNOWN, grpc.aio.Metadata(), trailing, details="why")


def _payment_refusals() -> Iterator[tuple[PaymentError, str]]:
    """Every refusal that is written down in `adapter.payments`, and where."""
    kinds = {name: kind for name, kind in vars(payment_errors).items() if isinstance(kind, type)}
    for path in sorted(Path(adapter.payments.__path__[0]).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(reason)), *_]) if name in kinds:
                    yield kinds[name](reason, "why"), path.name


def _codes(rows: Sequence[Refusal], status: int) -> set[str]:
    return {code for row in rows if row.status == status for code in row.codes}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.status}-{row.name}")
def test_a_row_has_the_status_and_the_words_of_its_failures(row: Refusal) -> None:
    own = _own()
    payments = {error.reason: error for error, _ in _payment_refusals()}
    for code in row.codes:
        if (row.status, code) in PAID_ONLY or code == "processor_unavailable":
            continue
        failure = describe(own.get(code) or payments.get(code) or _service_error(code.upper()))
        if failure.of_payment:  # One word may come with a challenge, or without: the next test finds each.
            continue
        assert (failure.status, failure.code) == (row.status, code)
        assert failure.retryable == row.retryable
        assert not row.message or failure.message == row.message


def test_no_refusal_of_a_payment_is_left_out() -> None:
    for error, file in _payment_refusals():
        status = describe(error).status
        if status == HTTPStatus.PAYMENT_REQUIRED or error.reason in CHALLENGED:
            continue
        if isinstance(error, MalformedPaymentError) and "mpp" in file:
            continue
        assert error.reason in _codes(BODY_REFUSALS, status), f"{error.reason} of {file} is not in the row of {status}"


def test_no_failure_of_the_adapter_is_left_out() -> None:
    for code, error in _own().items():
        status = describe(error).status
        assert code in _codes(BODY_REFUSALS, status) | _codes(FORM_REFUSALS, status)


def test_what_is_refused_with_a_challenge_has_a_row_of_its_own() -> None:
    assert describe(PaymentRequiredError("amount_mismatch", "why")).status == HTTPStatus.PAYMENT_REQUIRED
    for rows in (BODY_REFUSALS, FORM_REFUSALS):
        assert [row.name for row in rows if row.status == HTTPStatus.PAYMENT_REQUIRED] == ["unpaid"]


def test_rows_have_names_of_their_own() -> None:
    for rows in (BODY_REFUSALS, FORM_REFUSALS):
        assert len({row.name for row in rows}) == len(rows)
        assert list(rows) == sorted(rows, key=lambda row: row.status)

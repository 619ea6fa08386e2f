"""The one map from the service's errors to gRPC statuses."""

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from server.errors import (
    DeadlineExceededError,
    InvalidRequestError,
    JobConflictError,
    JobFailedError,
    JobNotFinishedError,
    JobNotFoundError,
    ModelBusyError,
    ModelNotFoundError,
    ModelRefusedError,
    ModelUnavailableError,
    NotAllowedError,
    OverloadedError,
    ProcessingFailedError,
    ResultGoneError,
    RetryableError,
    ServiceError,
    ShuttingDownError,
    StoreUnavailableError,
    WorkerLostError,
)

DOMAIN = "clearcanvas"
RETRY_PAUSE_S = 1

CODES: dict[type[ServiceError], int] = {
    InvalidRequestError: code_pb2.INVALID_ARGUMENT,
    ModelNotFoundError: code_pb2.NOT_FOUND,
    ModelRefusedError: code_pb2.FAILED_PRECONDITION,
    ModelBusyError: code_pb2.ABORTED,
    NotAllowedError: code_pb2.PERMISSION_DENIED,
    JobNotFoundError: code_pb2.NOT_FOUND,
    ResultGoneError: code_pb2.NOT_FOUND,
    JobNotFinishedError: code_pb2.FAILED_PRECONDITION,
    JobFailedError: code_pb2.FAILED_PRECONDITION,
    JobConflictError: code_pb2.ALREADY_EXISTS,
    OverloadedError: code_pb2.RESOURCE_EXHAUSTED,
    ModelUnavailableError: code_pb2.UNAVAILABLE,
    ShuttingDownError: code_pb2.UNAVAILABLE,
    WorkerLostError: code_pb2.UNAVAILABLE,
    StoreUnavailableError: code_pb2.UNAVAILABLE,
    DeadlineExceededError: code_pb2.DEADLINE_EXCEEDED,
    ProcessingFailedError: code_pb2.INTERNAL,
}

Metadata = tuple[tuple[str, str | bytes], ...]


def code_of(error: type[ServiceError]) -> int:
    """The gRPC code of an error class: its own or its nearest ancestor's. Raises KeyError for one that has none."""
    for ancestor in error.__mro__:
        if ancestor in CODES:
            return CODES[ancestor]
    raise KeyError(error)


def to_status(error: ServiceError) -> tuple[grpc.StatusCode, str, Metadata]:
    """The code, the sentence and the trailing metadata that carry `error`.

    The metadata hold google.rpc.ErrorInfo and, where trying again may help, RetryInfo; gRPC's own retry policy
    does not read RetryInfo, so `grpc-retry-pushback-ms` says the same.
    """
    details: list[Any] = [
        _any(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata))
    ]
    pushback: Metadata = ()
    if isinstance(error, RetryableError):
        details.append(_any(error_details_pb2.RetryInfo(retry_delay=Duration(seconds=RETRY_PAUSE_S))))
        pushback = (("grpc-retry-pushback-ms", str(RETRY_PAUSE_S * 1000)),)
    status = rpc_status.to_status(status_pb2.Status(code=code_of(type(error)), message=error.message, details=details))
    return status.code, status.details, (*status.trailing_metadata, *pushback)


def _any(message: error_details_pb2.ErrorInfo | error_details_pb2.RetryInfo) -> Any:
    packed = Any()
    packed.Pack(message)
    return packed

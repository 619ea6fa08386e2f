"""The one error tree of the service.

Every failure that a caller can meet is one of these. `reason` is the machine code of `errors.proto`;
`server.rpc.errors` maps each class to a gRPC status, and that is the only place that knows one.
They cross a process border by pickle, so every constructor takes exactly what it stores in `args`.
"""

from typing import ClassVar


class ServiceError(Exception):
    """Root of the tree. `message` is one sentence that is safe to show to the caller."""

    reason: ClassVar[str]

    def __init__(self, message: str, metadata: dict[str, str] | None = None) -> None:
        super().__init__(message, metadata)
        self.message = message
        self.metadata = metadata or {}

    def __str__(self) -> str:
        return self.message


class InvalidRequestError(ServiceError):
    """The caller sent something that can never work; sending it again changes nothing."""


class InvalidImageError(InvalidRequestError):
    """The bytes are not a whole, decodable picture."""

    reason = "INVALID_IMAGE"


class UnsupportedFormatError(InvalidRequestError):
    """The bytes are not PNG, JPEG or WebP."""

    reason = "UNSUPPORTED_FORMAT"


class DimensionExceededError(InvalidRequestError):
    """A side is longer than the limit."""

    reason = "DIMENSION_EXCEEDED"


class PixelsExceededError(InvalidRequestError):
    """Width × height is over what the caller or the server allows."""

    reason = "PIXELS_EXCEEDED"


class PayloadTooLargeError(InvalidRequestError):
    """The encoded picture is larger than the limit."""

    reason = "PAYLOAD_TOO_LARGE"


class InvalidParameterError(InvalidRequestError):
    """A field is missing or out of range; `metadata["field"]` names it."""

    reason = "INVALID_PARAMETER"


class NoTransparencyError(InvalidRequestError):
    """The picture's own transparency was asked for as the matte, and it has none."""

    reason = "NO_TRANSPARENCY"


class NoSubjectError(InvalidRequestError):
    """There is no subject to crop to or to place."""

    reason = "NO_SUBJECT"


class InvalidVideoError(InvalidRequestError):
    """The bytes are not a video that is taken; the message says why."""

    reason = "INVALID_VIDEO"


class ModelNotFoundError(ServiceError):
    """No model of that name is served."""

    reason = "MODEL_NOT_FOUND"


class ModelRefusedError(ServiceError):
    """The model is not served, or not changed, for the reason in the message."""

    reason = "MODEL_REFUSED"


class NotAllowedError(ServiceError):
    """The caller's certificate does not allow it this method."""

    reason = "NOT_ALLOWED"


class JobNotFoundError(ServiceError):
    """No job of that id exists for who asks."""

    reason = "JOB_NOT_FOUND"


class ResultGoneError(ServiceError):
    """The job's result was removed, after its download or its time."""

    reason = "RESULT_GONE"


class JobNotFinishedError(ServiceError):
    """The job is queued or running."""

    reason = "JOB_NOT_FINISHED"


class JobFailedError(ServiceError):
    """The job has failed or was cancelled: it has no result."""

    reason = "JOB_FAILED"


class JobConflictError(ServiceError):
    """Another request was submitted with that id."""

    reason = "JOB_CONFLICT"


class RetryableError(ServiceError):
    """The service cannot do it now; the same request may succeed later."""


class OverloadedError(RetryableError):
    """More work is in flight than the memory budget admits."""

    reason = "OVERLOADED"


class ModelUnavailableError(RetryableError):
    """The model did not answer, or answered outside its contract."""

    reason = "MODEL_UNAVAILABLE"


class ModelBusyError(RetryableError):
    """Another change of that model is under way."""

    reason = "MODEL_BUSY"


class WorkerLostError(RetryableError):
    """The worker that held this picture was killed from outside, through no fault of the picture."""

    reason = "WORKER_LOST"


class StoreUnavailableError(RetryableError):
    """The store of jobs or of their results does not answer."""

    reason = "STORE_UNAVAILABLE"


class ShuttingDownError(RetryableError):
    """The server is draining."""

    reason = "SHUTTING_DOWN"


class DeadlineExceededError(ServiceError):
    """The deadline passed before the result was ready."""

    reason = "DEADLINE_EXCEEDED"


class ProcessingFailedError(ServiceError):
    """The worker that held this picture died or ran over its limits."""

    reason = "PROCESSING_FAILED"

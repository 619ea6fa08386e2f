"""What the image service promises. It is another program, so a test holds this against its own words."""

from collections.abc import Mapping

WEBHOOK_TIMEOUT_S = 10
"""How long the receiver of a webhook has for its answer."""
WEBHOOK_PAUSES_S = (5, 30, 120, 600, 3_600, 10_800, 43_200)
"""Before each next try."""

VIDEO_SIDE = 4_096
VIDEO_PIXELS = (4_096, 2_160)
"""Width and height whose product no frame may pass."""
VIDEO_FRAME_RATE = 120

MAX_EDIT_PIXELS = 100_000_000
"""Of one picture, as a job or over gRPC, where the operator has not said otherwise."""
CHUNK_MIB = 1
"""Most of a result, or of a video on its way in, in one message."""

REASONS: Mapping[str, str] = {
    "INVALID_IMAGE": "INVALID_ARGUMENT",
    "UNSUPPORTED_FORMAT": "INVALID_ARGUMENT",
    "DIMENSION_EXCEEDED": "INVALID_ARGUMENT",
    "PIXELS_EXCEEDED": "INVALID_ARGUMENT",
    "PAYLOAD_TOO_LARGE": "INVALID_ARGUMENT",
    "INVALID_PARAMETER": "INVALID_ARGUMENT",
    "INVALID_VIDEO": "INVALID_ARGUMENT",
    "NO_TRANSPARENCY": "INVALID_ARGUMENT",
    "NO_SUBJECT": "INVALID_ARGUMENT",
    "MODEL_NOT_FOUND": "NOT_FOUND",
    "JOB_NOT_FOUND": "NOT_FOUND",
    "RESULT_GONE": "NOT_FOUND",
    "JOB_NOT_FINISHED": "FAILED_PRECONDITION",
    "JOB_FAILED": "FAILED_PRECONDITION",
    "JOB_CONFLICT": "ALREADY_EXISTS",
    "NOT_ALLOWED": "PERMISSION_DENIED",
    "OVERLOADED": "RESOURCE_EXHAUSTED",
    "MODEL_UNAVAILABLE": "UNAVAILABLE",
    "WORKER_LOST": "UNAVAILABLE",
    "STORE_UNAVAILABLE": "UNAVAILABLE",
    "SHUTTING_DOWN": "UNAVAILABLE",
    "DEADLINE_EXCEEDED": "DEADLINE_EXCEEDED",
    "PROCESSING_FAILED": "INTERNAL",
}
"""The reasons of failures of pictures and jobs, each with its gRPC code."""
RETRYABLE = frozenset({"OVERLOADED", "MODEL_UNAVAILABLE", "WORKER_LOST", "STORE_UNAVAILABLE", "SHUTTING_DOWN"})
"""Those after which the same call may succeed later."""

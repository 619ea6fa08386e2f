"""What is refused, and how a caller is told: the rows of the guides' tables of errors.

`adapter.middleware.errors` and the payments decide; a test holds these rows to what they say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from adapter.middleware.failure import Failure


@dataclass(frozen=True)
class Refusal:
    """One kind of refusal."""

    name: str
    """By which its explanation is found in each language."""
    status: int
    codes: Sequence[str] = ()
    """Machine codes: `error` in the bodies of the paid surface."""
    message: str = ""
    """The sentence, where it is always the same."""

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return Failure(HTTPStatus(self.status), "", "").retryable


_BUSY = ("overloaded", "shutting_down", "worker_lost", "model_unavailable", "processor_unavailable")

BODY_REFUSALS = (
    Refusal("image", 400, ("invalid_image", "dimension_exceeded", "unsupported_format", "no_subject")),
    Refusal("request", 400, ("malformed_body", "invalid_host")),
    Refusal("payment", 400, ("invalid_payload", "duplicate_payment")),
    Refusal("not_offered", 401, ("payment_not_offered",)),
    Refusal("unpaid", 402),
    Refusal(
        "spent",
        403,
        ("payment_spent", "authorization_used", "verification_failed", "payment_expired", "invalid_challenge"),
    ),
    Refusal("slow", 408, ("upload_timeout",)),
    Refusal("mismatch", 409, ("request_mismatch", "idempotency_mismatch", "invalid_idempotency_key")),
    Refusal("expired", 410, ("result_expired",)),
    Refusal("large", 413, ("payload_too_large",)),
    Refusal("type", 415, ("unsupported_media_type",)),
    Refusal("parameter", 422, ("invalid_parameter", "model_not_found")),
    Refusal("often", 429, ("rate_limited",)),
    Refusal("failed", 500, ("processing_failed",)),
    Refusal("busy", 503, (*_BUSY, "deadline_exceeded")),
    Refusal("undecided", 503, ("outcome_unknown", "settlement_pending", "settlement_unknown", "payment_in_progress")),
    Refusal(
        "chain",
        503,
        (
            "chain_unavailable",
            "facilitator_unavailable",
            "transaction_not_found",
            "ledger_busy",
            "ledger_unavailable",
            "results_unavailable",
        ),
    ),
)
"""Of the operation whose body is the picture."""

FORM_REFUSALS = (
    Refusal("image", 400, ("invalid_image", "dimension_exceeded")),
    Refusal("pixels", 400, ("pixels_exceeded",), "Image too large for regular processing. Use HD endpoint."),
    Refusal("opaque", 400, ("no_transparency",), "The input image must have a transparent background."),
    Refusal("subject", 400, ("no_subject",)),
    Refusal("download", 400, ("download_failed", "not_a_picture")),
    Refusal("request", 400, ("malformed_body", "ambiguous_key", "invalid_host")),
    Refusal("key", 401, ("key_required", "unknown_key")),
    Refusal("unpaid", 402),
    Refusal("forbidden", 403, ("operation_forbidden",)),
    Refusal("quota", 403, ("quota_used_up",), "This API key has had all the results of its month."),
    Refusal("slow", 408, ("upload_timeout",)),
    Refusal("large", 413, ("payload_too_large",)),
    Refusal("type", 415, ("unsupported_media_type", "unsupported_format")),
    Refusal("fields", 422, ("invalid_parameter", "model_not_found"), "Invalid request data"),
    Refusal("often", 429, ("rate_limited",)),
    Refusal("failed", 500, ("processing_failed",), "Internal Server Error"),
    Refusal("busy", 503, (*_BUSY, "keys_unavailable")),
    Refusal("late", 504, ("deadline_exceeded",), "The image was not ready in time."),
)
"""Of the operations that take a form, but for those of a payment, which are as above."""

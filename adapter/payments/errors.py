"""What can go wrong with a payment. `adapter.middleware` maps each class to an answer; nobody else knows a status code.

The line that matters runs between errors after which certainly no money has moved (`PaymentRequiredError`) and those
after which it may have: only the first may be answered with 402, because a client pays every fresh challenge it sees.
"""


class PaymentError(Exception):
    """Root of the tree. `reason` is a machine code, `message` one sentence; both are safe to show to the payer."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class MalformedPaymentError(PaymentError):
    """The credential cannot be read, comes twice, or comes for two rails at once."""


class PaymentRequiredError(PaymentError):
    """There is no payment, or one that is certainly void and has moved nothing: the payer may pay anew."""


class PaymentSpentError(PaymentError):
    """The credential was used up elsewhere: refused, and without a new challenge, so that no client pays again."""


class RequestMismatchError(PaymentError):
    """The credential, or the idempotency key, first came with another request."""


class ResultExpiredError(PaymentError):
    """The credential was paid and delivered, and its result is no longer kept."""


class RetryablePaymentError(PaymentError):
    """The same request with the same credential may succeed later. `retry_after_s`: whole seconds to wait."""

    def __init__(self, reason: str, message: str, retry_after_s: int = 1) -> None:
        super().__init__(reason, message)
        self.retry_after_s = retry_after_s


class PaymentInProgressError(RetryablePaymentError):
    """Another request with the same credential is being worked on."""


class OutcomeUnknownError(RetryablePaymentError):
    """The settlement may or may not have happened. The claim and the result are kept until the chain has told."""


class RailUnavailableError(RetryablePaymentError):
    """The chain or the facilitator does not answer; nothing was changed."""


class StoreUnavailableError(RetryablePaymentError):
    """The ledger or the store of results does not answer."""

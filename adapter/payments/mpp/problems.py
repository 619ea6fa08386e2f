"""RFC 9457 problem details, as the Payment scheme wants its refusals, and the SDK's errors as ours."""

import json

from mpp import errors as sdk

from adapter.payments.errors import PaymentError, PaymentRequiredError, PaymentSpentError, RailUnavailableError

CONTENT_TYPE = "application/problem+json"
_BASE = "https://paymentauth.org/problems/"
# The scheme's own words; another rail's reasons have no type of their own here.
_TITLES = {
    "payment-required": "Payment Required",
    "malformed-credential": "Malformed Credential",
    "invalid-challenge": "Invalid Challenge",
    "invalid-payload": "Invalid Payload",
    "payment-expired": "Payment Expired",
    "payment-insufficient": "Payment Insufficient",
    "method-unsupported": "Method Unsupported",
    "verification-failed": "Verification Failed",
}


def describe_problem(reason: str, message: str, challenge_id: str) -> bytes:
    """Return the body of a 402. `reason` is a PaymentError's; one that the scheme does not know is a failed check."""
    kind = reason.replace("_", "-")
    kind = kind if kind in _TITLES else "verification-failed"
    problem = {"type": _BASE + kind, "title": _TITLES[kind], "status": 402, "detail": message}
    return json.dumps(problem | {"challengeId": challenge_id}).encode()


def translate(error: sdk.PaymentError) -> PaymentError:
    """Return our error for one that the SDK raised while it checked a payment and had not sent anything.

    The SDK's sentence is passed on only where it was written for the payer: others quote the credential.
    """
    if isinstance(error, sdk.InternalPaymentError):
        return RailUnavailableError(
            "chain_unavailable", "The payment network does not answer. Try again with the same payment."
        )
    if isinstance(error, sdk.CredentialReplayedError):
        return PaymentSpentError("verification_failed", "This payment's memo names another challenge.")
    if isinstance(error, sdk.PaymentExpiredError):
        return PaymentRequiredError("payment_expired", "The challenge of this payment has expired.")
    if isinstance(error, sdk.VerificationError):
        return PaymentRequiredError("verification_failed", f"{str(error).rstrip('.')}.")
    return PaymentRequiredError("invalid_payload", "The Payment credential cannot be used for this charge.")

"""Refusals in the words of the Payment scheme."""

import json

import pytest
from mpp import errors as sdk

from adapter.payments.errors import PaymentError, PaymentRequiredError, PaymentSpentError, RailUnavailableError
from adapter.payments.mpp.problems import describe_problem, translate


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("payment_required", sdk.PaymentRequiredError()),
        ("malformed_credential", sdk.MalformedCredentialError()),
        ("invalid_challenge", sdk.InvalidChallengeError()),
        ("invalid_payload", sdk.InvalidPayloadError()),
        ("payment_expired", sdk.PaymentExpiredError()),
        ("payment_insufficient", sdk.PaymentInsufficientError()),
        ("method_unsupported", sdk.PaymentMethodUnsupportedError()),
        ("verification_failed", sdk.VerificationError()),
    ],
)
def test_our_reasons_have_the_schemes_types_and_titles(reason: str, error: sdk.PaymentError) -> None:
    problem = json.loads(describe_problem(reason, "Why.", "c"))
    theirs = error.to_problem_details()
    assert (problem["type"], problem["title"]) == (theirs["type"], theirs["title"])
    assert (problem["status"], problem["detail"], problem["challengeId"]) == (402, "Why.", "c")


def test_a_reason_of_another_rail_is_a_failed_check() -> None:
    problem = json.loads(describe_problem("payment_expires_too_soon", "Why.", "c"))
    assert problem["type"] == "https://paymentauth.org/problems/verification-failed"


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (sdk.InternalPaymentError(), RailUnavailableError),
        (sdk.CredentialReplayedError(), PaymentSpentError),
        (sdk.PaymentExpiredError(), PaymentRequiredError),
        (sdk.VerificationError("Transaction contains no calls"), PaymentRequiredError),
        (sdk.InvalidPayloadError(), PaymentRequiredError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_the_sdks_errors_become_ours(error: sdk.PaymentError, ours: type[PaymentError]) -> None:
    assert type(translate(error)) is ours


def test_what_quotes_the_credential_is_not_passed_on() -> None:
    assert "0x76secret" not in translate(sdk.InvalidPayloadError("input_value='0x76secret'")).message

"""Reading an `Authorization: Payment` header: its form, and the names under which its payment is known."""

import re
from dataclasses import dataclass, field, replace

import mpp
from mpp._parsing import ParseError
from mpp.methods.tempo import parse_pkh_source

from adapter.payments.errors import MalformedPaymentError, PaymentError, RequestMismatchError
from adapter.payments.mpp.transaction import TempoTransaction, read_transaction
from adapter.payments.rail import Headers

_SCHEME = re.compile(r"payment(?=[ \t]|$)", re.IGNORECASE)
# The SDK's base64 decoder skips what is not of the alphabet: many spellings of one credential. Here there is one.
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
# Ours are the base64url of an HMAC-SHA256.
_CHALLENGE_ID = re.compile(r"[A-Za-z0-9_-]{43}")
_HASH = re.compile(r"0[xX][0-9a-fA-F]{64}")
_SIGNED = re.compile(r"0[xX](?:[0-9a-fA-F]{2})+")
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True)
class MppCredential:
    """A credential of right form; nothing in it is proven yet."""

    echo: mpp.Credential = field(repr=False)
    """The SDK's form of it."""
    challenge_id: str
    hash: str
    """The transaction's: 0x and 64 hex digits, lower case."""
    transaction: TempoTransaction | None = field(repr=False)
    """None for push: the payer has broadcast it already."""
    payer: str
    """Who says to pay: an address in lower case, or empty."""


def read_credential(headers: Headers) -> MppCredential | None:
    """Find and decode the credential; None where there is none. Raises MalformedPaymentError."""
    values = [value.strip() for name, value in headers if name.lower() == "authorization"]
    values = [value for value in values if _SCHEME.match(value)]
    if not values:
        return None
    if len(values) > 1:
        raise MalformedPaymentError("duplicate_payment", "There are two Payment credentials; send one.")
    token = values[0][len("payment") :].strip(" \t").rstrip("=")
    if not _TOKEN.fullmatch(token):
        raise _malformed("it is not base64url")
    try:
        echo = mpp.Credential.from_authorization(f"Payment {token}")
    except (ParseError, RecursionError):
        raise _malformed("it does not hold a challenge and a payload as JSON") from None
    if (echo.challenge.method, echo.challenge.intent) != ("tempo", "charge"):
        raise MalformedPaymentError("method_unsupported", "Only the method tempo with the intent charge is offered.")
    if not _CHALLENGE_ID.fullmatch(echo.challenge.id):
        raise _malformed("its challenge id is none of ours")
    transaction, transaction_hash = _read_payload(echo.payload)
    if transaction is not None:  # One spelling, for the SDK too.
        echo = replace(echo, payload={"type": "transaction", "signature": transaction.raw})
    return MppCredential(echo, echo.challenge.id, transaction_hash, transaction, _read_source(echo.source))


def read_idempotency_key(headers: Headers) -> str | None:
    """Return the payer's own name for the request. Raises RequestMismatchError where it is none, or there are two.

    Not MalformedPaymentError: that is answered with a challenge, and paying again would not help.
    """
    keys = [value.strip() for name, value in headers if name.lower() == "idempotency-key"]
    if not keys:
        return None
    if len(keys) > 1 or not _IDEMPOTENCY_KEY.fullmatch(keys[0]):
        raise RequestMismatchError("invalid_idempotency_key", "Idempotency-Key must be 1 to 255 visible characters.")
    return keys[0]


def _read_payload(payload: object) -> tuple[TempoTransaction | None, str]:
    if isinstance(payload, dict) and payload.get("type") == "hash":
        transaction_hash = payload.get("hash")
        if isinstance(transaction_hash, str) and _HASH.fullmatch(transaction_hash):
            return None, transaction_hash.lower()
        raise _invalid_payload("its hash is not 0x and 64 hex digits")
    if isinstance(payload, dict) and payload.get("type") == "transaction":
        signed = payload.get("signature")
        if not isinstance(signed, str) or not _SIGNED.fullmatch(signed):
            raise _invalid_payload("its transaction is not 0x and hex digits")
        try:
            transaction = read_transaction(signed)
        except ValueError as error:
            raise _invalid_payload(f"it holds {error}") from None
        return transaction, transaction.hash
    raise _invalid_payload("its type is neither hash nor transaction")


def _read_source(source: str | None) -> str:
    if source is None:
        return ""
    parsed = parse_pkh_source(source)
    if parsed is None:
        raise _invalid_payload("its source is not a did:pkh:eip155 name")
    return parsed.address.lower()


def _malformed(why: str) -> PaymentError:
    return MalformedPaymentError("malformed_credential", f"The Payment credential cannot be read: {why}.")


def _invalid_payload(why: str) -> PaymentError:
    return MalformedPaymentError("invalid_payload", f"The Payment credential cannot be used: {why}.")

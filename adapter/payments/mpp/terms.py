"""What we ask for: challenges that are bound to a charge by an HMAC, and whether a credential answers one of ours."""

import asyncio
import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import mpp
import rfc8785
from mpp import BodyDigest
from mpp._parsing import _escape_quoted
from mpp.methods.tempo.schemas import charge as tempo_charge

from adapter.payments.charge import Charge
from adapter.payments.errors import PaymentRequiredError
from adapter.payments.mpp.config import MppConfig
from adapter.payments.mpp.credential import MppCredential

# Two equal charges get two challenges: each can be paid once.
_NONCE = "nonce"
_NONCE_BYTES = 16
# A digest of more than this would hold up the event loop for a millisecond or more.
_LARGE_BODY = 1 << 20


class Terms:
    """Issues challenges, and recognises them when they come back. Keeps no state: the HMAC is its memory."""

    def __init__(self, config: MppConfig) -> None:
        self._config = config

    async def issue(self, charge: Charge) -> mpp.Challenge:
        """Return a new challenge for `charge`, bound to its body where it has one.

        A client that asked with an empty body, to learn the price, gets one that is good for any body: which one is
        then decided by the first request that brings it, as with every credential.
        """
        expires = datetime.now(UTC) + timedelta(seconds=self._config.challenge_life_s)
        return mpp.Challenge.create(
            secret_key=self._config.secret,
            realm=self._config.realm,
            method="tempo",
            intent="charge",
            request=_request(self._config, charge.amount),
            expires=expires.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            digest=await _digest(charge.body) if charge.body else None,
            description=charge.description,
            meta={**_scope(charge), _NONCE: secrets.token_hex(_NONCE_BYTES)},
        )

    def recognise(self, credential: MppCredential) -> mpp.Challenge:
        """Return the challenge that `credential` answers. Raises PaymentRequiredError where we never issued it."""
        echo = credential.echo.challenge
        try:
            challenge = mpp.Challenge(
                id=echo.id,
                realm=echo.realm,
                method=echo.method,
                intent=echo.intent,
                request=_decode(echo.request),
                expires=echo.expires,
                digest=echo.digest,
                opaque=_decode(echo.opaque) if echo.opaque else None,
                header=echo.header,
            )
            ours = challenge.verify(self._config.secret, self._config.realm) and echo.realm == self._config.realm
        except (ValueError, RecursionError, rfc8785.CanonicalizationError):
            ours = False
        if not ours:
            raise _refused("it was not issued here")
        return challenge

    async def match(self, challenge: mpp.Challenge, charge: Charge) -> None:
        """Raise PaymentRequiredError where `challenge`, one of ours, was issued for something else than `charge`."""
        if challenge.request != _request(self._config, charge.amount):
            raise _refused("it asks for another amount, token, recipient or network")
        opaque: Mapping[str, str] = challenge.opaque or {}
        if {name: value for name, value in opaque.items() if name != _NONCE} != _scope(charge):
            raise _refused("it was issued for another operation")
        if challenge.digest and challenge.digest != await _digest(charge.body):
            raise _refused("it was issued for another body")


def write_header(challenge: mpp.Challenge) -> str:
    """Return one of our challenges as the value of WWW-Authenticate.

    What the SDK writes too, in a third of the time: it would encode all once more, and most answers are a 402.
    """
    digest = f'digest="{challenge.digest}", ' if challenge.digest else ""
    description = f'description="{_quote(challenge.description)}", ' if challenge.description else ""
    return (
        f'Payment id="{challenge.id}", realm="{_quote(challenge.realm)}", method="{challenge.method}", '
        f'intent="{challenge.intent}", request="{challenge.request_b64}", {digest}expires="{challenge.expires}", '
        f'{description}opaque="{challenge.to_echo().opaque}"'
    )


def expiry(challenge: mpp.Challenge) -> float:
    """Return the Unix time from which one of our challenges cannot be paid any more."""
    return datetime.fromisoformat(challenge.expires or "").timestamp()


@lru_cache(maxsize=64)
def _request(config: MppConfig, amount: int) -> dict[str, Any]:
    """What is asked for; shared, so never changed."""
    request: dict[str, Any] = tempo_charge.normalize_request(
        {
            "amount": str(amount),
            "decimals": 0,
            "currency": config.tempo.token,
            "recipient": config.recipient,
            "chain_id": config.tempo.chain_id,
        }
    )
    return request


@lru_cache(maxsize=64)
def _quote(text: str) -> str:
    return _escape_quoted(text)


def _scope(charge: Charge) -> dict[str, str]:
    return {"operation": charge.operation} | ({"subject": charge.subject} if charge.subject else {})


async def _digest(body: bytes) -> str:
    if len(body) < _LARGE_BODY:
        return BodyDigest.compute(body)
    return await asyncio.to_thread(BodyDigest.compute, body)


def _decode(encoded: str) -> dict[str, Any]:
    try:
        value = json.loads(base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True))
    except binascii.Error:
        raise ValueError("not base64url") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _refused(why: str) -> PaymentRequiredError:
    return PaymentRequiredError("invalid_challenge", f"The challenge of this payment is void: {why}.")

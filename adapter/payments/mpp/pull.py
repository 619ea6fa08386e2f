"""Pull: a signed transaction that is checked before the work and broadcast after it."""

import logging
import re
import time

import httpx
import mpp
from mpp import errors as sdk
from mpp.methods.tempo import ChargeIntent

from adapter.payments.errors import OutcomeUnknownError, PaymentRequiredError
from adapter.payments.mpp.config import MppConfig
from adapter.payments.mpp.credential import MppCredential
from adapter.payments.mpp.problems import translate
from adapter.payments.mpp.replay_store import LedgerDecides
from adapter.payments.mpp.terms import expiry
from adapter.payments.mpp.transaction import TempoTransaction

_log = logging.getLogger(__name__)
# The outcome of a lost broadcast is open until the transaction expires: nobody should wait longer than this for it.
# Tempo itself takes no expiring nonce of more than 300 s.
_MAX_LIFE_S = 900
# A node's words for a transaction that it did not take. Any others leave the outcome open, which costs time, not money.
_REFUSED = re.compile(
    r"insufficient [\w ]*(?:funds|balance)|valid_before|base fee|intrinsic gas|invalid chain id|recover the signer",
    re.IGNORECASE,
)
_CONNECT_S, _READ_S = 5.0, 30.0


class Broadcaster:
    """Checks and sends signed transactions through the SDK."""

    def __init__(self, config: MppConfig) -> None:
        self._http = httpx.AsyncClient(timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S))
        self._intent = ChargeIntent(
            rpc_url=config.rpc_url,
            http_client=self._http,
            store=LedgerDecides(),
            confirmation_timeout=config.settle_s,
        )

    async def close(self) -> None:
        """Close the connections to the node."""
        await self._http.aclose()

    async def check(self, credential: MppCredential, challenge: mpp.Challenge, transaction: TempoTransaction) -> str:
        """Check dates, calls, memo and signature without asking the chain; return the payer's address, lower case.

        Raises PaymentRequiredError, PaymentSpentError.
        """
        now = time.time()
        if expiry(challenge) <= now or transaction.valid_before <= now:
            raise PaymentRequiredError("payment_expired", "This payment has expired.")
        if transaction.valid_after > now or transaction.valid_before > now + _MAX_LIFE_S:
            raise PaymentRequiredError(
                "verification_failed", f"The transaction must be valid now, and expire within {_MAX_LIFE_S} seconds."
            )
        try:
            validation = await self._intent.validate(credential.echo, challenge.request)
        except sdk.PaymentError as error:
            raise translate(error) from None
        if validation.payer is None:
            raise PaymentRequiredError("verification_failed", "The transaction's signature names no payer.")
        return validation.payer

    async def send(self, credential: MppCredential, challenge: mpp.Challenge) -> int:
        """Broadcast, wait until the transaction is mined, and return the Unix time of that.

        Sending it again is safe: the chain takes it once, and the SDK then finds its receipt. Raises
        PaymentRequiredError only where the transaction was not taken by the node, else OutcomeUnknownError.
        """
        try:
            receipt = await self._intent.broadcast(credential.echo, challenge.request)
        except sdk.PaymentError as error:
            if _was_not_taken(error):
                raise PaymentRequiredError("verification_failed", "The payment was refused by its network.") from None
            _log.warning("the outcome of a broadcast is unknown: %s", type(error.__cause__ or error).__name__)
            raise OutcomeUnknownError(
                "settlement_unknown", "The payment's outcome is not known yet. Send the same request again."
            ) from None
        return int(receipt.timestamp.timestamp())


def _was_not_taken(error: sdk.PaymentError) -> bool:
    if isinstance(error, sdk.PaymentExpiredError):
        return True  # Raised before anything is sent.
    return (
        isinstance(error, sdk.InternalPaymentError)
        and isinstance(error.__cause__, sdk.VerificationError)
        and str(error.__cause__).startswith("Transaction submission failed")
        and _REFUSED.search(str(error.__cause__)) is not None
    )

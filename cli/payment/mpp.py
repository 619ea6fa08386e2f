"""Paying over MPP, by the official client."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
from mpp import AUTHORIZATION_HEADER, Challenge, Credential, Receipt
from mpp._parsing import ParseError
from mpp.methods.tempo import TempoAccount, TransactionError
from mpp.methods.tempo.client import charge
from mpp.runtime import CredentialParams

from cli.payment.offer import Offer, PayError, find_network

# How long a signed transaction can be mined. The official JavaScript client signs 25 s on every network; the Python
# one signs 60 s, which Tempo took only from hardfork T11 on: an older chain drops such a transaction without a word.
_LIFE = timedelta(seconds=25)
# A challenge begins where the word Payment stands before a parameter; several may share one header field.
_CHALLENGE = re.compile(r'Payment\s+(?:[a-zA-Z]+=(?:"(?:[^"\\]|\\.)*"|[^\s",]+)\s*,?\s*)+')


class MppRail:
    """Signs Tempo transactions with a key; the payer's own pathUSD pays the chain's fee."""

    name = "mpp"

    def __init__(self, account: TempoAccount, rpc_urls: dict[int, str]) -> None:
        """`rpc_urls`: where to ask a chain, by its number, for fees."""
        self._account = account
        self._rpc_urls = rpc_urls

    def read_offer(self, response: httpx.Response) -> Offer:
        """The first Tempo charge of the 402 that we can pay."""
        challenges = [challenge for challenge in _read_challenges(response) if challenge.method == "tempo"]
        if not challenges:
            raise PayError("the service does not offer MPP on Tempo")
        for challenge in challenges:
            request = challenge.request
            details = request.get("methodDetails") or {}
            network = find_network(f"eip155:{details.get('chainId')}", str(request.get("currency")))
            amount = str(request.get("amount"))
            if challenge.intent == "charge" and network is not None and amount.isascii() and amount.isdecimal():
                return Offer(network, str(request.get("recipient")), int(amount), challenge)
        raise PayError("the service offers MPP, but no token on any network that this command knows")

    async def sign(self, offer: Offer) -> dict[str, str]:
        """Sign a transaction that pays the offered amount, to the offered recipient alone."""
        challenge = offer.terms
        assert isinstance(challenge, Challenge)  # noqa: S101 - read_offer made it.
        method = charge(
            account=self._account,
            chain_id=offer.network.chain_id,
            rpc_url=self._rpc_urls[offer.network.chain_id],
            currency=offer.network.token,
            max_atomic_amount=offer.amount,
            expected_recipients=[offer.recipient],
        )
        try:
            # The client signs until the challenge expires at the latest: so it is shown one that expires sooner, and
            # the credential is given the challenge as it came.
            text = await method.create_credential(CredentialParams(challenge=_expire_soon(challenge)))
        except (TransactionError, ValueError, RuntimeError) as error:
            raise PayError(f"the transaction cannot be signed: {error}") from error
        except httpx.HTTPError as error:
            raise PayError(f"the chain does not answer ({type(error).__name__}); name its node with --rpc") from error
        credential = replace(Credential.from_authorization(text), challenge=challenge.to_echo())
        return {challenge.header or AUTHORIZATION_HEADER: credential.to_authorization()}


def read_receipt(headers: httpx.Headers) -> str | None:
    """The transaction of an MPP receipt; None where there is no receipt that can be read."""
    if "Payment-Receipt" not in headers:
        return None
    try:
        return Receipt.from_payment_receipt(headers["Payment-Receipt"]).reference
    except ParseError:
        return None


def _read_challenges(response: httpx.Response) -> list[Challenge]:
    challenges = []
    for value in response.headers.get_list("WWW-Authenticate"):
        for found in _CHALLENGE.finditer(value):
            try:
                challenges.append(Challenge.from_www_authenticate(found[0].rstrip(", ")))
            except ParseError:
                continue  # Not for us, or not well formed; another may be.
    return challenges


def _expire_soon(challenge: Challenge) -> Challenge:
    soon = datetime.now(UTC) + _LIFE - timedelta(seconds=1)  # The client adds the second again.
    if challenge.expires and datetime.fromisoformat(challenge.expires) < soon:
        return challenge
    return replace(challenge, expires=soon.isoformat())

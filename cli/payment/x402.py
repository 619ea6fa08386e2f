"""Paying over x402, by the official client."""

import httpx
from eth_account.signers.local import LocalAccount
from x402 import x402Client
from x402.http import x402HTTPClient
from x402.http.utils import decode_payment_response_header
from x402.mechanisms.evm import EthAccountSigner
from x402.mechanisms.evm.exact import register_exact_evm_client
from x402.schemas import PaymentRequired, PaymentRequiredV1

from cli.payment.offer import Offer, PayError, find_network

# Version 1 of the protocol names networks in its own way.
_V1_NETWORKS = {"base": "eip155:8453", "base-sepolia": "eip155:84532"}
_RECEIPTS = ("PAYMENT-RESPONSE", "X-PAYMENT-RESPONSE")


class X402Rail:
    """Signs USDC authorisations (EIP-3009) with the key of `account`; the service's side pays for the gas."""

    name = "x402"

    def __init__(self, account: LocalAccount) -> None:
        self._client = x402Client()
        register_exact_evm_client(self._client, EthAccountSigner(account))
        self._http = x402HTTPClient(self._client)

    def read_offer(self, response: httpx.Response) -> Offer:
        """The first entry of the 402 that we can pay, in version 2 where the service speaks both."""
        try:
            required = self._http.get_payment_required_response(response.headers.get, response.content)
        except (ValueError, AttributeError) as error:  # The latter where the body is JSON and no object.
            raise PayError("the service does not offer x402") from error
        for entry in required.accepts:
            network = find_network(_V1_NETWORKS.get(entry.network, entry.network), entry.asset)
            amount = entry.get_amount()
            if entry.scheme == "exact" and network is not None and amount.isascii() and amount.isdecimal():
                terms = required.model_copy(update={"accepts": [entry]})
                return Offer(network, entry.pay_to, int(amount), terms)
        raise PayError("the service offers x402, but no token on any network that this command knows")

    async def sign(self, offer: Offer) -> dict[str, str]:
        """Sign an authorisation to take the offered amount once, until it expires."""
        assert isinstance(offer.terms, PaymentRequired | PaymentRequiredV1)  # noqa: S101 - read_offer made it.
        try:
            payload = await self._client.create_payment_payload(offer.terms)
        except ValueError as error:  # The client's own limits: see x402.client_base.SpendControls.
            raise PayError(f"the x402 client refuses the offer: {error}") from error
        return self._http.encode_payment_signature_header(payload)


def read_receipt(headers: httpx.Headers) -> str | None:
    """The transaction of an x402 receipt; None where there is no receipt that can be read."""
    for name in _RECEIPTS:
        if name in headers:
            try:
                return str(decode_payment_response_header(headers[name]).transaction)
            except ValueError:
                return None
    return None

"""A payer with the official x402 client: signs without asking a chain, so that signing is not measured."""

from collections.abc import Mapping

import aiohttp
from eth_account import Account
from x402 import x402Client
from x402.http.utils import decode_payment_required_header, encode_payment_signature_header
from x402.mechanisms.evm import EthAccountSigner
from x402.mechanisms.evm.exact import register_exact_evm_client

from benchmarks.load import FailedError


class Payer:
    """Pays one route with the key of a funded account."""

    def __init__(self, key: str) -> None:
        self._client = x402Client()
        register_exact_evm_client(self._client, EthAccountSigner(Account.from_key(key)))

    async def pay(self, session: aiohttp.ClientSession, url: str, count: int) -> list[Mapping[str, str]]:
        """`count` payments that nobody has seen yet, each as the header of a request to `url`."""
        async with session.post(url, headers={"Content-Type": "image/png"}) as answer:
            if answer.status != 402:
                raise FailedError(f"no challenge, but {answer.status}: {await answer.text()}")
            wanted = decode_payment_required_header(answer.headers["PAYMENT-REQUIRED"])
        payloads = [await self._client.create_payment_payload(wanted) for _ in range(count)]
        return [{"PAYMENT-SIGNATURE": encode_payment_signature_header(payload)} for payload in payloads]

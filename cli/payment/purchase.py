"""The sending: ask for the price, pay, and send the same payment again until it is answered for good."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from cli.payment import mpp, x402
from cli.payment.offer import Offer, PayError, Rail
from cli.payment.pending import Pending

_TIMEOUT = httpx.Timeout(10, read=90)  # Seconds; the work and the settlement take up to half a minute.
_RETRY_S = 1.0  # Where a refusal does not say how long to wait, or nothing answers.


@dataclass(frozen=True)
class Order:
    """What is bought: the answer to one POST."""

    url: str
    content_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Purchase:
    """What was bought. `transaction` is None where nothing was asked for it, or there is no receipt."""

    body: bytes = field(repr=False)
    transaction: str | None


@dataclass(frozen=True)
class Buyer:
    """How a purchase is made. `approve` sees the offer before anything is signed, and raises PayError to refuse it."""

    rail: Rail
    pending: Pending
    approve: Callable[[Offer], None]
    say: Callable[[str], None]
    timeout_s: float
    """How long one payment is sent again and again."""

    async def buy(self, order: Order) -> Purchase:
        """Buy `order`; the caller removes what is pending once it has put the result away.

        A payment under way is gone on with, and nothing is asked nor signed. Once a payment is sent, that same payment
        is sent again while the service answers that it may still succeed. Raises PayError.
        """
        async with httpx.AsyncClient(timeout=_TIMEOUT) as client:
            headers = self.pending.load()
            if headers is not None:
                self.say(f"going on with the payment in {self.pending.path}")
            else:
                try:
                    answer = await _post(client, order, {})
                except httpx.TransportError as error:
                    raise PayError(f"{order.url} does not answer ({type(error).__name__}); nothing was paid") from error
                if answer.status_code == 200:
                    return Purchase(answer.content, None)
                if answer.status_code != 402:
                    raise PayError(f"{describe(answer)}; nothing was paid")
                offer = self.rail.read_offer(answer)
                self.approve(offer)
                headers = await self.rail.sign(offer)
                self.pending.save(headers)
            answer = await self._send(client, order, headers)
            if answer.status_code != 200:
                self.pending.remove()
                raise PayError(describe(answer))
            return Purchase(answer.content, x402.read_receipt(answer.headers) or mpp.read_receipt(answer.headers))

    async def _send(self, client: httpx.AsyncClient, order: Order, headers: Mapping[str, str]) -> httpx.Response:
        """Send the payment until the answer is final: neither 429 nor 5xx, after which the payment is still good."""
        why = "not sent"
        try:
            async with asyncio.timeout(self.timeout_s):
                while True:
                    wait_s = _RETRY_S
                    try:
                        answer = await _post(client, order, headers)
                    except httpx.TransportError as error:
                        why = f"{order.url} does not answer ({type(error).__name__})"
                    else:
                        if answer.status_code < 500 and answer.status_code != 429:
                            return answer
                        why, wait_s = describe(answer), _retry_after(answer)
                    self.say(f"{why}; sending the same payment again in {wait_s:g} s")
                    await asyncio.sleep(wait_s)
        except TimeoutError:
            path = self.pending.path
            raise PayError(f"{why}. Whether it was paid is not known: the same command goes on with {path}") from None


async def _post(client: httpx.AsyncClient, order: Order, headers: Mapping[str, str]) -> httpx.Response:
    return await client.post(order.url, content=order.body, headers={"Content-Type": order.content_type, **headers})


def describe(response: httpx.Response) -> str:
    """One sentence for an answer that is not the result, in the service's own words where it has some."""
    try:
        body = json.loads(response.content)
    except ValueError:
        body = {}
    told = body if isinstance(body, dict) else {}
    words = next((told[key] for key in ("message", "detail", "error", "title") if isinstance(told.get(key), str)), "")
    return f"{response.url.host} answered {response.status_code}{': ' if words else ''}{words[:300]}"


def _retry_after(response: httpx.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return max(float(text), _RETRY_S) if text.isascii() and text.isdecimal() else _RETRY_S

"""A shop for tests: the real gate, ledger and application, with rails that believe what a credential says of itself."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiohttp
from aiohttp import web

from adapter.app import build_app
from adapter.config import Settings
from adapter.discovery.way import WayToPay
from adapter.jobs.service import JobService
from adapter.keys.keyring import Keyring
from adapter.keys.store import KeyStore
from adapter.lifecycle import Lifecycle
from adapter.limits.local import Limiter, LocalLimiter
from adapter.listener import ConnectionLimits, listen
from adapter.payments.charge import Charge
from adapter.payments.errors import MalformedPaymentError, PaymentError, PaymentRequiredError
from adapter.payments.gate import Gate, GateLimits
from adapter.payments.ledger import Ledger
from adapter.payments.payment import Outcome, Payment, PaymentFacts, Settlement, Verdict
from adapter.payments.rail import Challenge, Headers
from adapter.payments.results import ResultStore
from adapter.sale.jobs_store import SoldJobs
from adapter.sale.rails import Shop
from adapter.sale.settings import PaymentSettings
from adapter.service import ImageService, open_channel

PATH = "/v1/remove-background"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
PNG_TYPE = {"Content-Type": "image/png"}
ADDRESS = "0x" + "ab" * 20
TRANSACTION = "0x" + "12" * 32
X402: Literal["x402"] = "x402"
MPP: Literal["mpp"] = "mpp"


def x402(name: str = "one") -> dict[str, str]:
    """The header of an x402 payment with a name of its own."""
    return {"X-PAYMENT": name}


def mpp(name: str = "one") -> dict[str, str]:
    """The header of an MPP payment with a name of its own."""
    return {"Authorization": f"Payment {name}"}


@dataclass
class FakeRail:
    """Takes every payment but the unreadable, unless told otherwise; remembers what was settled."""

    name: str
    margin_s: float = 1.0
    asks_life: bool = True
    refusal: PaymentError | None = None  # Of the next verifications.
    trouble: PaymentError | None = None  # Of the next settlements.
    release: asyncio.Event = field(default_factory=asyncio.Event)  # Settlements wait for it.
    settling: asyncio.Event = field(default_factory=asyncio.Event)
    settled: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.release.set()

    async def challenge(self, charge: Charge, refusal: tuple[str, str] | None = None) -> Challenge:
        reason = refusal[0] if refusal else "payment_required"
        if self.name == "x402":
            body = f'{{"x402Version": 1, "error": "{reason}", "resource": "{charge.resource}"}}'.encode()
            return Challenge((("PAYMENT-REQUIRED", str(charge.amount)),), body, "application/json")
        body = f'{{"type": "https://paymentauth.org/problems/{reason}"}}'.encode()
        return Challenge((("WWW-Authenticate", 'Payment id="1"'),), body, "application/problem+json")

    async def parse(self, headers: Headers, charge: Charge) -> Payment | None:
        wanted = "x-payment" if self.name == "x402" else "authorization"
        values = [value for name, value in headers if name.lower() == wanted]
        if len(values) > 1:
            raise MalformedPaymentError("duplicate_payment", "Send one payment.")
        if not values:
            return None
        name = values[0].removeprefix("Payment ")
        if name == "unreadable":
            raise MalformedPaymentError("invalid_payload", "That is no payment.")
        facts = PaymentFacts(
            self.name, "eip155:1", ADDRESS, ADDRESS, ADDRESS, charge.amount, (f"{self.name}:{name}",), None
        )
        return Payment(facts, name)

    async def verify(self, payment: Payment, _: Charge) -> PaymentFacts:
        if self.refusal is not None:
            raise self.refusal
        return payment.facts

    async def settle(self, payment: Payment, _: Charge) -> Settlement:
        self.settling.set()
        await self.release.wait()
        if self.trouble is not None:
            raise self.trouble
        self.settled.append(payment.facts.keys[0])
        return Settlement(TRANSACTION, 1)

    async def look_up(self, facts: PaymentFacts) -> Outcome:
        return Settlement(TRANSACTION, 1) if facts.keys[0] in self.settled else Verdict.OPEN

    def receipt(self, _: Payment, settlement: Settlement) -> Mapping[str, str]:
        name = "X-PAYMENT-RESPONSE" if self.name == "x402" else "Payment-Receipt"
        return {name: settlement.transaction}

    async def close(self) -> None:
        pass


@dataclass
class RunningShop:
    """A shop that serves: its client, and what stands behind the gate."""

    http: aiohttp.ClientSession
    port: int
    x402: FakeRail
    mpp: FakeRail
    gate: Gate
    keys: KeyStore
    lifecycle: Lifecycle
    app: web.Application

    async def post(
        self, headers: Mapping[str, str] | None = None, body: bytes = PNG, query: str = "", **options: Any
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        """Posts a picture to the paid route."""
        sent = {**PNG_TYPE, **(headers or {})}
        async with self.http.post(PATH + query, data=body, headers=sent, **options) as response:
            return response, await response.read()

    async def ask(self, headers: Mapping[str, str] | None = None) -> aiohttp.ClientResponse:
        """Posts nothing, which is to ask for the price."""
        async with self.http.post(PATH, headers=headers) as response:
            await response.read()
            return response


@asynccontextmanager
async def running_shop(
    grpc_address: str,
    folder: Path,
    *,
    limiter: Limiter | None = None,
    work_s: float = 15.0,
    sells: bool = True,
    payments: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> AsyncIterator[RunningShop]:
    """Serves a shop on a free port until the end of the block; one that `sells` nothing takes no payments."""
    keys = KeyStore(str((settings or {}).get("keys") or f"sqlite:///{folder}/keys.sqlite"))
    await keys.start()
    configured = PaymentSettings.model_construct(x402_pay_to=ADDRESS, mpp_recipient=ADDRESS, **(payments or {}))
    lifecycle = Lifecycle()
    async with _stocked(folder, work_s) as (shop, rails), open_channel(grpc_address) as channel:
        app = build_app(
            Settings.model_validate({"data": folder, **(settings or {})}),
            configured,
            service=ImageService(channel),
            jobs=JobService(channel, 60),
            lifecycle=lifecycle,
            keyring=Keyring(keys),
            limiter=limiter or LocalLimiter(1_000_000),
            per_key=LocalLimiter(1_000_000),
            shop=shop if sells else None,
        )
        runner = web.AppRunner(app, handler_cancellation=True)
        await runner.setup()
        assert runner.server is not None
        listener = await listen(runner.server, "127.0.0.1", 0, ConnectionLimits())
        port = listener.sockets[0].getsockname()[1]
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", timeout=aiohttp.ClientTimeout(60)) as http:
                yield RunningShop(http, port, rails["x402"], rails["mpp"], shop.gate, keys, lifecycle, app)
        finally:
            listener.close()
            await runner.cleanup()
            await keys.close()


@asynccontextmanager
async def _stocked(folder: Path, work_s: float) -> AsyncIterator[tuple[Shop, Mapping[str, FakeRail]]]:
    """What takes money, and the rails of it."""
    rails = {"x402": FakeRail("x402"), "mpp": FakeRail("mpp")}
    url = f"sqlite:///{folder}/ledger.sqlite"
    ledger, sold_jobs = Ledger(url), SoldJobs(url)
    await ledger.start()
    await sold_jobs.start()
    gate = Gate(rails, ledger, ResultStore("memory:///"), GateLimits(work_s=work_s))
    await gate.start()
    ways = {name: _describe(name) for name in (X402, MPP)}
    try:
        yield Shop(gate, sold_jobs, ways), rails
    finally:
        for rail in rails.values():
            rail.release.set()
        await gate.close()
        await ledger.close()
        await sold_jobs.close()


def _describe(name: Literal["x402", "mpp"]) -> WayToPay:
    if name == X402:
        return WayToPay("x402", "charge", "eip155:1", ADDRESS, "base-sepolia", "Base Sepolia", "USDC", is_test=True)
    return WayToPay("tempo", "charge", "eip155:1", ADDRESS, "moderato", "Tempo Moderato", "pathUSD", is_test=True)


def paid(name: Literal["x402", "mpp"], payment: str = "one") -> dict[str, str]:
    """The header of a payment over either rail."""
    return x402(payment) if name == "x402" else mpp(payment)


def refusal(body: bytes) -> tuple[str, bool]:
    """The machine code and `retryable` of an error body, which must be whole."""
    answer = json.loads(body)
    assert {"error", "message", "retryable", "request_id"} <= set(answer)
    return answer["error"], answer["retryable"]


REQUIRED = PaymentRequiredError("insufficient_funds", "The payer's balance is too low.")

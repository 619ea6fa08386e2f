"""The gate by itself, on a real chain: how long a check takes, and whether the event loop is held up."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from adapter.payments.charge import Charge, digest_request
from adapter.payments.gate import Gate
from adapter.payments.payment import Payment
from adapter.payments.results import ResultInfo
from benchmarks.load import FailedError, Latency
from benchmarks.payments.chain_clock import Clock

_TICK_S = 0.001
_RAILS = ("x402", "mpp")
_PICTURE = b"picture" * 1024


@dataclass
class Lag:
    """The longest time in seconds that the event loop came late to a timer."""

    longest_s: float = 0.0


async def time_validation(gate: Gate, asked: Charge, payments: Sequence[Mapping[str, str]], clock: Clock) -> Latency:
    """Seconds from a credential's header to a claim that is verified, without the time in which the chain was asked."""
    samples = []
    for number, headers in enumerate(payments):
        charge = _vary(asked, number)
        before = await clock.read()
        began = time.perf_counter()
        payment = await _parse(gate, charge, headers)
        async with gate.open(payment, charge):
            took_s = time.perf_counter() - began
        samples.append(took_s - await clock.since(before))
    return Latency(tuple(samples))


async def time_settlements(gate: Gate, asked: Charge, payments: Sequence[Mapping[str, str]]) -> tuple[float, Lag]:
    """Settlements a second, all at once, and how late the event loop was meanwhile. The work itself is nothing."""

    async def buy(number: int, headers: Mapping[str, str]) -> None:
        charge = _vary(asked, number)
        async with gate.open(await _parse(gate, charge, headers), charge) as ticket:
            await ticket.keep(ResultInfo("image/png", len(_PICTURE), {}), _chunks())
            await ticket.settle()
            await ticket.delivered()

    began = time.perf_counter()
    async with _watch_loop() as lag:
        await asyncio.gather(*(buy(number, headers) for number, headers in enumerate(payments)))
    return len(payments) / (time.perf_counter() - began), lag


async def _parse(gate: Gate, charge: Charge, headers: Mapping[str, str]) -> Payment:
    payment = await gate.parse(tuple(headers.items()), charge, _RAILS)
    if payment is None:
        raise FailedError("the gate sees no payment")
    return payment


def _vary(asked: Charge, number: int) -> Charge:
    """The same purchase with a picture of its own."""
    body = number.to_bytes(8, "big")
    return replace(asked, body=body, digest=digest_request(asked.operation, {}, body))


async def _chunks() -> AsyncIterator[bytes]:
    yield _PICTURE


@asynccontextmanager
async def _watch_loop() -> AsyncIterator[Lag]:
    lag = Lag()

    async def watch() -> None:
        while True:
            due = time.perf_counter() + _TICK_S
            await asyncio.sleep(_TICK_S)
            lag.longest_s = max(lag.longest_s, time.perf_counter() - due)

    watching = asyncio.create_task(watch())
    try:
        yield lag
    finally:
        watching.cancel()

"""`python -m benchmarks.payments`: measures what payment costs in time, and writes one table."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
from dotenv import dotenv_values

from adapter.payments.charge import Charge
from adapter.sale.rails import open_shop
from adapter.sale.settings import PaymentSettings
from benchmarks.load import FailedError, Latency
from benchmarks.payments.chain_clock import Clock, chain_clock
from benchmarks.payments.challenges import rate_of_challenges
from benchmarks.payments.gate import time_settlements, time_validation
from benchmarks.payments.payer import Payer
from benchmarks.report import Aim
from benchmarks.stack import running_stack
from tests.support.toy_model import write_toy_model

_PATH = "/v1/remove-background"
_RESULTS = Path("benchmarks/results")
_PHOTO = Path("tests/photos/astronaut.png")
_CHECKS, _SETTLEMENTS, _PAID, _SECONDS = 60, 24, 40, 5.0
_START_LIMIT_S = 30


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    title: str
    value: float
    aim: Aim | None = None
    note: str = ""


async def main() -> list[Row]:
    """Runs everything; local chains, an adapter by itself, then a whole stack with the toy model."""
    with TemporaryDirectory(prefix="clearcanvas-bench-") as name:
        folder = Path(name)
        async with (
            aiohttp.ClientSession() as session,
            _chains(folder) as (facts, settings),
            chain_clock(facts["base"]["rpc_url"], session) as clock,
        ):
            # The limit of unpaid requests is counted as ever, and never reached.
            settings |= {"x402_rpc_url": clock.rpc_url, "unpaid_per_minute": "1000000000"}
            payer = Payer(facts["base"]["payer_key"])
            return [row async for row in _measure(folder, session, clock, payer, settings)]


async def _measure(
    folder: Path, session: aiohttp.ClientSession, clock: Clock, payer: Payer, variables: dict[str, str]
) -> AsyncIterator[Row]:
    repository = folder / "repository"
    write_toy_model(repository, "toy", 1024)
    model = {"model": "toy", "model_repository": str(repository)}
    up = running_stack(folder / "up", Path(".bench") / "payments.log", **model, **variables)
    async with up as stack:
        url = stack.http.url + _PATH
        rate = await rate_of_challenges(url, _SECONDS)
        yield Row(
            "402 answers a second, one core", rate, Aim(1500, at_least=True), "16 connections, both rails offered"
        )
        paid, free = await _time_paid(session, stack.http.url, payer, clock)
        yield Row("the same picture, not paid for, p50, ms", free.p50 * 1000, note=str(len(free.samples)))
        yield Row("paid, without the chain's time, p50, ms", paid.p50 * 1000, note=str(len(paid.samples)))
        yield Row("added by the payment, p50, ms", (paid.p50 - free.p50) * 1000, Aim(10))
        payments = await payer.pay(session, url, _CHECKS + _SETTLEMENTS)
    settings = PaymentSettings.model_validate({"data": folder / "gate", **variables})
    settings.data.mkdir()
    async with open_shop(settings) as shop:
        asked = Charge("remove-background", url, settings.amount("remove-background"), "Bench")
        checks = await time_validation(shop.gate, asked, payments[:_CHECKS], clock)
        yield Row(
            "a credential checked and claimed, without the chain's time, p50, ms",
            checks.p50 * 1000,
            Aim(5),
            str(_CHECKS),
        )
        yield Row("the same, p95, ms", checks.p95 * 1000)
        rate, lag = await time_settlements(shop.gate, asked, payments[_CHECKS:])
        yield Row("settlements a second, one hot key", rate, note=f"{_SETTLEMENTS} at once, a chain that mines at once")
        yield Row("longest that they held up the event loop, ms", lag.longest_s * 1000, Aim(50))


async def _time_paid(session: aiohttp.ClientSession, base: str, payer: Payer, clock: Clock) -> tuple[Latency, Latency]:
    """The same picture in turn paid for and not: seconds of each, those of the chain taken off."""
    photo = await asyncio.to_thread(_PHOTO.read_bytes)
    loop = asyncio.get_running_loop()
    paid, free = [], []
    for number, headers in enumerate(await payer.pay(session, base + _PATH, _PAID + 1)):
        before, began = await clock.read(), loop.time()
        async with session.post(base + _PATH, data=photo, headers={"Content-Type": "image/png", **headers}) as answer:
            body = await answer.read()
            if answer.status != 200:
                raise FailedError(f"a paid request was answered {answer.status}: {body[:300]!r}")
        took_s = loop.time() - began - await clock.since(before)
        form = aiohttp.FormData()
        form.add_field("image", photo, filename="photo.png", content_type="image/png")
        began = loop.time()
        async with session.post(f"{base}/image/matte/v1", data=form) as answer:
            await answer.read()
            answer.raise_for_status()
        if number:  # The first of each warms up.
            paid.append(took_s)
            free.append(loop.time() - began)
    return Latency(tuple(paid)), Latency(tuple(free))


@asynccontextmanager
async def _chains(folder: Path) -> AsyncIterator[tuple[Mapping[str, Mapping[str, str]], dict[str, str]]]:
    """Local chains: what `devnet.json` says of them, and the settings of an adapter that is paid there."""
    log = (Path(".bench") / "devnet.log").open("wb")
    child = await asyncio.create_subprocess_exec(
        *("setpriv", "--pdeathsig", "KILL", "--", sys.executable, "-m", "devnet", "--data", str(folder)),
        stdout=log,
        stderr=log,
        env=os.environ,
    )
    try:
        async with asyncio.timeout(_START_LIMIT_S):
            while not (folder / "devnet.json").exists():
                if child.returncode is not None:
                    raise FailedError(f"the local chains did not start; see {log.name}")
                await asyncio.sleep(0.1)
        variables = dotenv_values(folder / "devnet.env").items()
        settings = {name.removeprefix("CLEARCANVAS_").lower(): value for name, value in variables if value is not None}
        yield json.loads((folder / "devnet.json").read_text()), settings
    finally:
        log.close()
        if child.returncode is None:
            child.terminate()
        await child.wait()


def render(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| | | aim | |", "| --- | ---: | --- | --- |"]
    for row in rows:
        aim = row.aim.verdict(row.value) if row.aim else ""
        lines.append(f"| {row.title} | {row.value:.{0 if row.value >= 100 else 1}f} | {aim} | {row.note} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(".bench").mkdir(exist_ok=True)
    try:
        table = render(asyncio.run(main()))
    except FailedError as error:
        sys.exit(f"error: {error}")
    _RESULTS.mkdir(exist_ok=True)
    result = _RESULTS / f"{datetime.now():%Y-%m-%d-%H%M}-payments.md"
    result.write_text(table)
    print(table)
    print(f"wrote {result}")

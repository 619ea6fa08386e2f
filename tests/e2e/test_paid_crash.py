"""The adapter is killed between every two steps of a payment; it converges, and the payer who comes again is served."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients import MPP_PULL, X402_V1, Client, pay
from tests.support.paid_pictures import check_cutout, make_paid_photo
from tests.support.paid_stack import PATH, PRICE, PaidStack, Payer, RunningAdapter, insist
from tests.support.recorder import Call, recording

pytestmark = pytest.mark.usefixtures("client_packages")
STEPS = ("claimed", "verified", "worked", "settling", "settled", "delivered")
# What mppx signs lives for 25 s, and 10 of them go by until the dead adapter's lease has run out.
WORK_TIMEOUT_S = {"x402": 15, "mpp": 5}


async def pay_the_mortal(adapter: RunningAdapter, client: Client, payer: Payer, photo: bytes, folder: Path) -> Call:
    """Pay an adapter that dies of it; the request that killed it."""
    async with recording(adapter.http) as recorder:
        paid = await pay(client, recorder.url(PATH), photo, folder, key=payer.key, rpc_url=payer.rpc_url)
    assert paid.status in {200, 502}, paid.error  # Delivered before it died, or the connection broke.
    await adapter.killed()
    (call,) = recorder.paid_calls()
    return call


@pytest.mark.case("P11")
@pytest.mark.parametrize("client", [X402_V1, MPP_PULL], ids=lambda client: client.name)
async def test_a_kill_after_any_step_costs_nobody_anything(
    paid_stack: PaidStack, client: Client, tmp_path: Path
) -> None:
    photo = make_paid_photo()
    shared: dict[str, Any] = {"data": str(tmp_path / "data"), "work_timeout_s": WORK_TIMEOUT_S[client.rail]}
    payers = [await paid_stack.payer(client.rail) for _ in STEPS]
    async with AsyncExitStack() as mortals:
        # One for each step, on one ledger: they all leave it as it stood when they died.
        adapters = await asyncio.gather(
            *(
                mortals.enter_async_context(paid_stack.adapter(tmp_path / step, kill_at=step, **shared))
                for step in STEPS
            )
        )
        calls = await asyncio.gather(
            *(
                pay_the_mortal(adapter, client, payer, photo, tmp_path / f"pays-{step}")
                for adapter, payer, step in zip(adapters, payers, STEPS, strict=True)
            )
        )
    async with paid_stack.adapter(tmp_path / "next", **shared) as adapter, recording(adapter.http) as recorder:
        answers = await asyncio.gather(*(insist(recorder, call) for call in calls))
        again = await asyncio.gather(*(recorder.send(call) for call in calls))
        await adapter.audit()
    for step, payer, first, second in zip(STEPS, payers, answers, again, strict=True):
        assert (first.status, second.status) == (200, 200), (step, first.body)
        check_cutout(first.body, photo)
        assert second.body == first.body, step
        assert second.headers[client.receipt] == first.headers[client.receipt], step
        assert [charge.amount for charge in await payer.charges()] == [PRICE], step

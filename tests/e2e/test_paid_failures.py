"""The work fails, the adapter is stopped, the money is gone: what the payer sees, and what it costs."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients import MPP_PULL, MPP_PUSH, X402_V1, X402_V2, Client, pay
from tests.support.paid_pictures import check_cutout, make_paid_photo
from tests.support.paid_stack import BROADCASTS, PATH, PRICE, PaidStack, RunningAdapter
from tests.support.processes import eventually, free_address
from tests.support.recorder import recording
from tests.support.server import running_server

pytestmark = [pytest.mark.usefixtures("client_packages"), pytest.mark.alone]


@pytest.mark.parametrize("client", [X402_V1, MPP_PULL, MPP_PUSH], ids=lambda client: client.name)
async def test_work_that_fails_costs_nothing_and_the_same_request_is_served_when_it_can_be(
    paid_stack: PaidStack, client: Client, tmp_path: Path
) -> None:
    payer, photo = await paid_stack.payer(client.rail), make_paid_photo()
    with running_server(free_address(), tmp_path) as server:  # It has no Triton.
        async with (
            paid_stack.adapter(tmp_path, grpc=server.address) as adapter,
            recording(adapter.http) as recorder,
        ):
            paid = await pay(client, recorder.url(PATH), photo, tmp_path, key=payer.key, rpc_url=payer.rpc_url)
    assert [call.answer and call.answer.status for call in recorder.calls] == [402, 503]
    assert json.loads(paid.error)["retryable"] is True
    # Who pushes has paid before anybody worked; the credential keeps its worth.
    assert len(await payer.charges()) == (1 if client is MPP_PUSH else 0)

    async with paid_stack.adapter(tmp_path) as adapter, recording(adapter.http) as recorder_again:
        answer = await recorder_again.send(recorder.paid_calls()[0])
        assert answer.status == 200, answer.body
        check_cutout(answer.body, photo)
        await adapter.audit()
    assert [charge.amount for charge in await payer.charges()] == [PRICE]


@pytest.mark.case("H15")
@pytest.mark.parametrize("client", [X402_V2, MPP_PULL], ids=lambda client: client.name)
async def test_a_stop_waits_for_the_settlement_in_flight(paid_stack: PaidStack, client: Client, tmp_path: Path) -> None:
    payer, photo = await paid_stack.payer(client.rail), make_paid_photo()
    with paid_stack.chain(client.rail).faulty() as rpc:
        settings: dict[str, Any] = {f"{client.rail}_rpc_url": rpc.rpc_url}
        async with paid_stack.adapter(tmp_path, **settings) as adapter, recording(adapter.http) as recorder:
            for method in BROADCASTS:
                rpc.set(method, delay_s=2)
            paying = asyncio.create_task(
                pay(client, recorder.url(PATH), photo, tmp_path, key=payer.key, rpc_url=payer.rpc_url)
            )
            await eventually(lambda: any(rpc.calls(method) for method in BROADCASTS), "the broadcast is out")
            adapter.process.send_signal(signal.SIGTERM)
            paid = await paying
            assert paid.status == 200, paid.error
            check_cutout(paid.picture, photo)
            assert await asyncio.to_thread(adapter.process.wait, 15) == 0
            await adapter.audit()
    assert [charge.amount for charge in await payer.charges()] == [PRICE]


@pytest.mark.case("P12")
@pytest.mark.parametrize("client", [X402_V2, MPP_PULL], ids=lambda client: client.name)
async def test_money_for_one_picture_buys_one_of_two(
    paid_stack: PaidStack, paid_adapter: RunningAdapter, client: Client, tmp_path: Path
) -> None:
    # Enough for one, and on Tempo for the fees of both.
    payer = await paid_stack.payer(client.rail, PRICE if client.rail == "x402" else 2 * PRICE - 1)
    photos = [make_paid_photo(side) for side in (256, 260)]
    async with recording(paid_adapter.http) as recorder:
        recorder.holding = True
        for photo in photos:
            await pay(client, recorder.url(PATH), photo, tmp_path, key=payer.key, rpc_url=payer.rpc_url)
        answers = await asyncio.gather(*(recorder.send(call) for call in recorder.paid_calls()))
    assert sorted(answer.status for answer in answers) == [200, 402]
    for photo, answer in zip(photos, answers, strict=True):
        if answer.status == 200:
            check_cutout(answer.body, photo)
        else:
            assert answer.headers["Content-Type"].startswith("application/")
    assert [charge.amount for charge in await payer.charges()] == [PRICE]
    await paid_adapter.audit()

"""The official clients pay for jobs, on real chains: one charge, one result, whatever happens to the adapter."""

import asyncio
import io
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from PIL import Image

from tests.support.clients import MPP_PULL, X402_V2, Client, Paid, pay
from tests.support.paid_jobs import fetch, uuid_of
from tests.support.paid_pictures import make_paid_photo
from tests.support.paid_stack import PaidStack, Payer, RunningAdapter
from tests.support.recorder import Call, Recorder, recording

pytestmark = pytest.mark.usefixtures("client_packages")
SUBMIT, RESULT = "/image/hd/submit/v1", "/image/hd/result/"
FORM = {"operation": "color", "bgcolor": "0,0,255"}
HD_PRICE = 200_000
CLOSED = "0.0.0.0:0"  # Not only this machine's: so it is for those who pay.
BOTH = pytest.mark.parametrize("client", [X402_V2, MPP_PULL], ids=lambda client: client.name)


async def order(adapter: str, client: Client, payer: Payer, folder: Path, photo: bytes = b"") -> Paid:
    """Submit a job through the client; `adapter`: its address, or a recorder's."""
    return await pay(
        client,
        f"http://{adapter}{SUBMIT}",
        photo or make_paid_photo(),
        folder,
        key=payer.key,
        rpc_url=payer.rpc_url,
        form=FORM,
    )


def check_picture(content: bytes) -> None:
    assert Image.open(io.BytesIO(content)).convert("RGB").getpixel((0, 0)) == (0, 0, 255)


@BOTH
async def test_a_client_pays_once_for_a_job_and_has_its_result(
    paid_stack: PaidStack, counter: RunningAdapter, client: Client, tmp_path: Path
) -> None:
    payer = await paid_stack.payer(client.rail)
    async with recording(counter.http) as recorder:
        submitted = await order(recorder.address, client, payer, tmp_path / "pays")
        job = uuid_of(submitted)
        assert [call.answer and call.answer.status for call in recorder.calls] == [402, 202]
        assert submitted.receipts == []

        result = await fetch(counter, RESULT + job)
        assert result.status == 200
        check_picture(result.body)
        assert client.receipt in {name.lower() for name in result.headers}
        assert result.headers["Cache-Control"].startswith("private")
        assert [charge.amount for charge in await payer.charges()] == [HD_PRICE]

        (call,) = recorder.paid_calls()
        again = await recorder.send(call)
        assert (again.status, json.loads(again.body)["uuid"]) == (202, job)
        assert (await fetch(counter, RESULT + job)).status == 404  # It was fetched whole.
    assert len(await payer.charges()) == 1
    assert "delivered" in await counter.audit()


@pytest.mark.case("J4")
async def test_a_job_that_fails_costs_nothing(paid_stack: PaidStack, counter: RunningAdapter, tmp_path: Path) -> None:
    payer = await paid_stack.payer("x402")
    photo = make_paid_photo()
    broken = photo[: len(photo) // 2]  # Its header is good.
    job = uuid_of(await order(counter.http, X402_V2, payer, tmp_path / "pays", broken))
    assert (await fetch(counter, RESULT + job)).status == 500
    await counter.audit()
    assert await payer.charges() == []


async def lose_and_pay_anew(paid_stack: PaidStack, client: Client, folder: Path) -> None:
    payer = await paid_stack.payer(client.rail)
    shared = {"data": str(folder / "data"), "http": CLOSED}
    async with paid_stack.adapter(folder / "first", kill_at="worked", **shared) as adapter:
        async with recording(adapter.http) as recorder:
            job = uuid_of(await order(recorder.address, client, payer, folder / "pays"))
            (first,) = recorder.paid_calls()
        await adapter.killed()
    async with paid_stack.adapter(folder / "next", **shared) as adapter, recording(adapter.http) as recorder:
        assert (await fetch(adapter, RESULT + job)).status == 402
        url = recorder.url(RESULT + job)
        paid = await pay(client, url, b"", folder / "pays-anew", key=payer.key, rpc_url=payer.rpc_url, method="GET")
        assert (paid.status, paid.receipts) == (200, [client.receipt])
        check_picture(paid.picture)
        # The first credential may still live: it is the same job, and not charged again.
        again = await recorder.send(first)
        assert (again.status, json.loads(again.body)["uuid"]) == (202, job)
        assert (await fetch(adapter, RESULT + job)).status == 404
        await adapter.audit()
    assert [charge.amount for charge in await payer.charges()] == [HD_PRICE]


async def test_a_lost_payment_is_made_anew_for_the_result(paid_stack: PaidStack, tmp_path: Path) -> None:
    """The adapter dies when the result is ready, before the money is taken: the credential was in its memory only."""
    for client in (X402_V2, MPP_PULL):
        (tmp_path / client.rail).mkdir()
    await asyncio.gather(
        *(lose_and_pay_anew(paid_stack, client, tmp_path / client.rail) for client in (X402_V2, MPP_PULL))
    )


async def order_and_kill(adapter: RunningAdapter, payer: Payer, folder: Path) -> tuple[Call, str]:
    """Submit a job at an adapter that dies of it; the request, and the job's id where it was told."""
    async with recording(adapter.http) as recorder:
        paid = await order(recorder.address, X402_V2, payer, folder)
        (call,) = recorder.paid_calls()
    await adapter.killed()
    return call, "" if paid.status == 502 else uuid_of(paid)


async def come_again(adapter: RunningAdapter, recorder: Recorder, call: Call) -> str:
    """Send a submission again until it is taken; the job's id."""
    async with asyncio.timeout(60):
        while (answer := await recorder.send(call)).status == 503:  # noqa: ASYNC110 - as a client.
            await asyncio.sleep(0.5)
    assert answer.status == 202, answer.body
    job = str(json.loads(answer.body)["uuid"])
    result = await fetch(adapter, RESULT + job, waiting=(202, 503))
    assert result.status == 200, result.body
    check_picture(result.body)
    return job


@pytest.mark.case("P11")
async def test_a_payer_who_sends_the_same_after_a_crash_has_the_same_job(paid_stack: PaidStack, tmp_path: Path) -> None:
    steps = ("verified", "worked", "settling", "settled")
    shared = {"data": str(tmp_path / "data"), "http": CLOSED}
    payers = [await paid_stack.payer("x402") for _ in steps]
    async with AsyncExitStack() as mortals:
        # One for each step, on one ledger: they all leave it as it stood when they died.
        adapters = await asyncio.gather(
            *(
                mortals.enter_async_context(paid_stack.adapter(tmp_path / step, kill_at=step, **shared))
                for step in steps
            )
        )
        told = await asyncio.gather(
            *(
                order_and_kill(adapter, payer, tmp_path / f"pays-{step}")
                for adapter, payer, step in zip(adapters, payers, steps, strict=True)
            )
        )
    async with paid_stack.adapter(tmp_path / "next", **shared) as adapter, recording(adapter.http) as recorder:
        found = await asyncio.gather(*(come_again(adapter, recorder, call) for call, _ in told))
        await adapter.audit()
    for step, payer, (_, job), again in zip(steps, payers, told, found, strict=True):
        assert job in ("", again), step
        assert [charge.amount for charge in await payer.charges()] == [HD_PRICE], step

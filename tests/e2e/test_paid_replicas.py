"""One credential, many copies, two adapters on one PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients import MPP_PULL, X402_PYTHON, X402_V2, Client, pay
from tests.support.paid_pictures import check_cutout, make_paid_photo
from tests.support.paid_stack import PATH, PaidStack, RunningAdapter, insist
from tests.support.postgres import RunningPostgres
from tests.support.recorder import recording

pytestmark = pytest.mark.usefixtures("client_packages")
COPIES = 200
PAYMENTS = 8


@asynccontextmanager
async def two_adapters(
    stack: PaidStack, folder: Path, ledger: str
) -> AsyncIterator[tuple[RunningAdapter, RunningAdapter]]:
    """Two adapters that share a ledger and a store of results, and nothing else."""
    shared = {"ledger": ledger, "results": f"file://{folder}/results"}
    async with stack.adapter(folder / "one", **shared) as one, stack.adapter(folder / "two", **shared) as two:
        yield one, two


@pytest.mark.case("P1")
@pytest.mark.case("P2")
@pytest.mark.parametrize("client", [X402_V2, MPP_PULL], ids=lambda client: client.name)
async def test_two_hundred_copies_on_two_adapters_are_one_payment_and_one_edit(
    paid_stack: PaidStack, postgres: RunningPostgres, client: Client, tmp_path: Path
) -> None:
    payer, photo, ledger = await paid_stack.payer(client.rail), make_paid_photo(), postgres.create_database()
    async with two_adapters(paid_stack, tmp_path, ledger) as (one, two), recording(one.http) as recorder:
        recorder.holding = True
        await pay(client, recorder.url(PATH), photo, tmp_path, key=payer.key, rpc_url=payer.rpc_url)
        (call,) = recorder.paid_calls()
        before = paid_stack.edits()

        answers = await asyncio.gather(*(recorder.send(call, (one, two)[n % 2].http) for n in range(COPIES)))
        statuses = Counter(answer.status for answer in answers)
        assert statuses[200] >= 1
        assert set(statuses) <= {200, 409, 503}, statuses

        # Whoever came too early comes again, to either adapter, and gets the same.
        later = [await insist(recorder, call, adapter.http) for adapter in (one, two)]
        delivered = [answer for answer in (*answers, *later) if answer.status == 200]
        assert [answer.status for answer in later] == [200, 200]
        assert len({answer.body for answer in delivered}) == 1
        assert len({answer.headers[client.receipt] for answer in delivered}) == 1
        check_cutout(delivered[0].body, photo)
        assert paid_stack.edits() - before == 1
        assert len(await payer.charges()) == 1
        await one.audit()

    # A third one, which was not there when it was paid.
    async with (
        paid_stack.adapter(tmp_path / "three", ledger=ledger, results=f"file://{tmp_path}/results") as three,
        recording(three.http) as recorder,
    ):
        again = await recorder.send(call)
        assert (again.status, again.body) == (200, delivered[0].body)
        assert paid_stack.edits() - before == 1
        assert len(await payer.charges()) == 1


async def test_two_adapters_settle_many_payments_with_one_key(
    paid_stack: PaidStack, postgres: RunningPostgres, tmp_path: Path
) -> None:
    shared: dict[str, Any] = {
        "ledger": postgres.create_database(),
        "results": f"file://{tmp_path}/results",
        "x402_key": paid_stack.devnet.base.hot_key().key,
    }
    payer, photo = await paid_stack.payer("x402"), make_paid_photo()
    async with (
        paid_stack.adapter(tmp_path / "one", **shared) as one,
        paid_stack.adapter(tmp_path / "two", **shared) as two,
        recording(one.http) as recorder,
    ):
        recorder.holding = True
        paying = (
            pay(X402_PYTHON, recorder.url(PATH), photo, folder, key=payer.key, rpc_url=payer.rpc_url)
            for folder in (tmp_path / str(n) for n in range(PAYMENTS))
        )
        await asyncio.gather(*paying)
        calls = recorder.paid_calls()
        answers = await asyncio.gather(
            *(insist(recorder, call, (one, two)[n % 2].http) for n, call in enumerate(calls))
        )
        assert [answer.status for answer in answers] == [200] * PAYMENTS
        receipts = {answer.headers[X402_PYTHON.receipt] for answer in answers}
        assert len(receipts) == PAYMENTS
        assert len(await payer.charges()) == PAYMENTS
        await one.audit()

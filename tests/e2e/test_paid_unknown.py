"""The answer to the broadcast is lost: nobody knows whether the money moved, and nobody is asked to pay again."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients import MPP_PULL, X402_V1, X402_V2, Client, pay
from tests.support.faulty_rpc import FaultyRpc
from tests.support.paid_pictures import check_cutout, make_paid_photo
from tests.support.paid_stack import BROADCASTS, PATH, PRICE, PaidStack, RunningAdapter, insist
from tests.support.processes import eventually
from tests.support.recorder import recording

pytestmark = pytest.mark.usefixtures("client_packages")
LOOKS = ("eth_getTransactionReceipt", "eth_getTransactionByHash", "eth_getLogs")


def lose(rpc: FaultyRpc) -> None:
    """Broadcasts arrive and their answers do not; nor does any word of what became of them."""
    for method in BROADCASTS:
        rpc.set(method, drop_after=True)
    for method in LOOKS:
        rpc.set(method, drop_before=True)


@pytest.mark.case("P9")
@pytest.mark.parametrize("client", [X402_V1, X402_V2, MPP_PULL], ids=lambda client: client.name)
async def test_an_unknown_outcome_is_never_a_402_and_the_same_request_gets_the_result(
    paid_stack: PaidStack, client: Client, tmp_path: Path
) -> None:
    payer, photo = await paid_stack.payer(client.rail), make_paid_photo()
    with paid_stack.chain(client.rail).faulty() as rpc:
        settings: dict[str, Any] = {f"{client.rail}_rpc_url": rpc.rpc_url, "settle_timeout_s": 3}
        async with paid_stack.adapter(tmp_path, **settings) as adapter, recording(adapter.http) as recorder:
            lose(rpc)
            paid = await pay(client, recorder.url(PATH), photo, tmp_path, key=payer.key, rpc_url=payer.rpc_url)
            assert [call.answer and call.answer.status for call in recorder.calls] == [402, 503]
            assert json.loads(paid.error)["retryable"] is True
            assert int(paid.headers["retry-after"]) >= 1
            assert [charge.amount for charge in await payer.charges()] == [PRICE]

            (call,) = recorder.paid_calls()
            assert [(await recorder.send(call)).status for _ in range(3)] == [503] * 3
            rpc.clear()
            answer = await insist(recorder, call)
            assert answer.status == 200
            check_cutout(answer.body, photo)
            await adapter.audit()
    (charge,) = await payer.charges()
    assert client.receipt in answer.headers
    assert charge.amount == PRICE


@pytest.mark.case("P9")
@pytest.mark.parametrize("client", [X402_V2, MPP_PULL], ids=lambda client: client.name)
async def test_after_a_restart_the_chain_is_asked_although_no_client_comes_again(
    paid_stack: PaidStack, client: Client, tmp_path: Path
) -> None:
    payer, photo = await paid_stack.payer(client.rail), make_paid_photo()
    with paid_stack.chain(client.rail).faulty() as rpc:
        settings: dict[str, Any] = {f"{client.rail}_rpc_url": rpc.rpc_url, "settle_timeout_s": 3}
        async with paid_stack.adapter(tmp_path, **settings) as adapter, recording(adapter.http) as recorder:
            lose(rpc)
            await pay(client, recorder.url(PATH), photo, tmp_path, key=payer.key, rpc_url=payer.rpc_url)
            (call,) = recorder.paid_calls()
            assert states(adapter) == ["unknown"]
            adapter.process.kill()
            await adapter.killed()
    async with paid_stack.adapter(tmp_path) as adapter, recording(adapter.http) as recorder:
        await eventually(lambda: states(adapter) == ["settled"], "the chain has told")
        answer = await recorder.send(call)
        assert answer.status == 200
        check_cutout(answer.body, photo)
        await adapter.audit()
    assert [charge.amount for charge in await payer.charges()] == [PRICE]


def states(adapter: RunningAdapter) -> list[str]:
    """Where the payments of this adapter's ledger stand."""
    with closing(sqlite3.connect(adapter.data / "ledger.sqlite")) as connection:
        return [state for (state,) in connection.execute("SELECT state FROM claims")]

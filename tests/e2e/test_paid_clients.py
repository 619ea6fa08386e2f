"""The official clients, on real chains: a challenge, a payment, a picture."""

import base64
import json
from pathlib import Path

import pytest

from tests.support.clients import CLIENTS, Client, pay
from tests.support.paid_pictures import check_cutout, make_paid_photo
from tests.support.paid_stack import PATH, PRICE, PaidStack, RunningAdapter
from tests.support.recorder import recording

pytestmark = pytest.mark.usefixtures("client_packages")


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
async def test_a_client_pays_exactly_once_and_gets_its_picture(
    paid_stack: PaidStack, paid_adapter: RunningAdapter, client: Client, tmp_path: Path
) -> None:
    payer = await paid_stack.payer(client.rail)
    funds, income = await payer.token.balance(payer.address), await payer.token.balance(payer.recipient)
    photo = make_paid_photo()
    async with recording(paid_adapter.http) as recorder:
        paid = await pay(client, recorder.url(PATH), photo, tmp_path, key=payer.key, rpc_url=payer.rpc_url)
    assert [call.answer and call.answer.status for call in recorder.calls] == [402, 200], paid.error
    check_cutout(paid.picture, photo)
    assert paid.headers["content-type"] == "image/png"
    assert paid.headers["cache-control"].startswith("private")

    assert await payer.token.balance(payer.recipient) - income == PRICE
    (charge,) = await payer.charges()
    assert charge.amount == PRICE
    if client.rail == "x402":  # On Tempo the payer's own fee leaves in the same token.
        assert funds - await payer.token.balance(payer.address) == PRICE

    assert paid.receipts == [client.receipt]
    receipt = json.loads(base64.urlsafe_b64decode(paid.headers[client.receipt] + "==="))
    assert receipt["reference" if client.rail == "mpp" else "transaction"] == charge.transaction
    assert receipt["status" if client.rail == "mpp" else "success"] in {"success", True}
    assert await payer.token.succeeded(charge.transaction)
    await paid_adapter.audit()

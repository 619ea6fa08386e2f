"""The official clients pay for forms as they do for pictures: a challenge, a payment, a picture on a colour."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from adapter.keys.key import NewKey
from adapter.keys.store import KeyStore
from tests.support.clients import CLIENTS, Client, pay
from tests.support.paid_pictures import make_paid_photo
from tests.support.paid_stack import PRICE, PaidStack, RunningAdapter
from tests.support.recorder import recording

pytestmark = pytest.mark.usefixtures("client_packages")
COLOR = "/image/color/v1"


@pytest.fixture(scope="module")
async def closed_adapter(
    paid_stack: PaidStack, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningAdapter]:
    """An adapter on loopback that is not open, because somebody has a key."""
    folder = tmp_path_factory.mktemp("closed")
    store = KeyStore(f"sqlite:///{folder}/data/keys.sqlite")
    await store.start()
    await store.add(NewKey("somebody else"))
    await store.close()
    # The Python client of MPP signs for as long as the challenge is valid, and anvil's Tempo takes 30 s at the most.
    async with paid_stack.adapter(folder, mpp_challenge_s=25) as adapter:
        yield adapter


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
async def test_a_client_pays_once_for_a_form_and_gets_what_the_form_says(
    paid_stack: PaidStack, closed_adapter: RunningAdapter, client: Client, tmp_path: Path
) -> None:
    payer = await paid_stack.payer(client.rail)
    async with recording(closed_adapter.http) as recorder:
        paid = await pay(
            client,
            recorder.url(COLOR),
            make_paid_photo(),
            tmp_path,
            key=payer.key,
            rpc_url=payer.rpc_url,
            form={"bgcolor": "0,0,255", "output": "rgba"},
        )
    assert [call.answer and call.answer.status for call in recorder.calls] == [402, 200], paid.error
    assert paid.receipts == [client.receipt]
    assert paid.headers["cache-control"].startswith("private")
    picture = await asyncio.to_thread(lambda: Image.open(io.BytesIO(paid.picture)).convert("RGB"))
    assert picture.getpixel((0, 0)) == (0, 0, 255)
    (charge,) = await payer.charges()
    assert charge.amount == PRICE
    assert "color" in await closed_adapter.audit()

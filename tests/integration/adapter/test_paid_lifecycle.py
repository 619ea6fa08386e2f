"""Starting with payments, and stopping without losing one."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.integration.adapter.fake_service import RunningFake
from tests.integration.adapter.process import run_adapter
from tests.integration.adapter.shop import ADDRESS, PNG, running_shop, x402

SECRET = "longer-than-that" * 3
RAIL = {"mpp_recipient": ADDRESS, "mpp_rpc_url": "http://127.0.0.1:1", "mpp_secret": SECRET}


@pytest.mark.case("H15")
async def test_a_stop_waits_for_settlements_whose_client_is_gone(running_fake: RunningFake, tmp_path: Path) -> None:
    running_fake.service.reset()
    async with running_shop(running_fake.address, tmp_path) as shop:
        shop.x402.release.clear()
        request = asyncio.create_task(shop.post(x402()))
        await asyncio.wait_for(shop.x402.settling.wait(), 30)
        request.cancel()
        await asyncio.wait({request})
        closing = asyncio.create_task(shop.gate.close())
        await asyncio.sleep(0.1)
        assert not closing.done()
        shop.x402.release.set()
        await asyncio.wait_for(closing, 30)
        assert shop.x402.settled == ["x402:one"]
        response, body = await shop.post(x402())
        assert (response.status, body) == (200, PNG)


@pytest.mark.case("H15")
async def test_a_draining_adapter_takes_no_new_payment(running_fake: RunningFake, tmp_path: Path) -> None:
    async with running_shop(running_fake.address, tmp_path) as shop:
        shop.lifecycle.draining = True
        response, body = await shop.post(x402())
        assert response.status == 503
        assert b'"shutting_down"' in body
        assert shop.x402.settled == []


async def refuse_to_start(**settings: Any) -> str:
    with pytest.raises(AssertionError, match="the adapter ended") as caught:
        async with run_adapter("127.0.0.1:1", **settings) as adapter:
            adapter.terminate()
    log = str(caught.value)
    assert "Traceback" not in log
    assert SECRET not in log
    return log


@pytest.mark.case("P18")
async def test_times_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    log = await refuse_to_start(**RAIL, data=str(tmp_path), x402_validity_s="120", work_timeout_s="110")
    assert "CLEARCANVAS_X402_VALIDITY_S must hold the work" in log


async def test_half_a_rail_is_refused(tmp_path: Path) -> None:
    log = await refuse_to_start(**(RAIL | {"mpp_secret": ""}), data=str(tmp_path))
    assert "CLEARCANVAS_MPP_SECRET" in log


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("ledger", "mysql://user:hidden-word@127.0.0.1/x", "settings: "),
        ("ledger", "postgresql+psycopg://user:hidden-word@127.0.0.1:1/x", "cannot take payments: "),
        ("results", "gopher://hidden-word/x", "settings: "),
    ],
)
async def test_stores_that_cannot_be_used_are_refused_in_one_line(
    tmp_path: Path, setting: str, value: str, words: str
) -> None:
    log = await refuse_to_start(**RAIL, data=str(tmp_path), **{setting: value})
    assert words in log
    assert "hidden-word" not in log


@pytest.mark.case("P14")
async def test_a_chain_that_is_down_does_not_stop_the_start(running_fake: RunningFake, tmp_path: Path) -> None:
    async with run_adapter(running_fake.address, **RAIL, data=str(tmp_path)) as adapter:
        await adapter.logged("taking payments over mpp")
        assert (tmp_path / "ledger.sqlite").exists()
        adapter.terminate()
        async with asyncio.timeout(30):
            assert await adapter.process.wait() == 0

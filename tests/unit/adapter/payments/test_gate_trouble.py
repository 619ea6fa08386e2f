"""The gate in trouble: outcomes that are unknown, holders that are lost, results that are gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from adapter.payments.errors import (
    OutcomeUnknownError,
    PaymentInProgressError,
    PaymentRequiredError,
)
from adapter.payments.gate import GateLimits
from adapter.payments.ledger.claim import Claim, State
from adapter.payments.reconciler import Reconciler
from adapter.payments.results import ResultInfo
from adapter.payments.sweeper import Sweeper
from tests.support.payments.model_rail import PRICE
from tests.support.payments.shop import Shop, once, open_shop
from tests.support.payments.world import charge_for

HOUR_S = 3600.0


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path) as shop:
        yield shop


@pytest.mark.case("P12")
async def test_a_settlement_that_reverts_withholds_the_result_and_charges_nothing(shop: Shop) -> None:
    payment = shop.pay()
    async with shop.gate.open(payment, charge_for(b"cat")) as ticket:
        await shop.work(ticket)
        shop.chain.drain("0xpayer")
        with pytest.raises(PaymentRequiredError):
            await ticket.settle()
        with pytest.raises(RuntimeError, match="withheld"):
            await anext(ticket.read())

    assert shop.received() == 0
    assert shop.report().states == {State.RELEASED: 1}


@pytest.mark.case("P9")
async def test_a_lost_answer_is_unknown_until_the_chain_has_told(shop: Shop) -> None:
    payment = shop.pay()
    shop.rail.faults.settle = "lost_after"
    with pytest.raises(OutcomeUnknownError):
        await shop.buy(payment)
    assert shop.report().states == {State.UNKNOWN: 1}

    shop.chain.mine()
    reconciler = Reconciler({"x402": shop.rail}, shop.ledger, shop.results, GateLimits())
    await reconciler.go_round()

    assert shop.report().states == {State.SETTLED: 1}
    assert await shop.buy(payment) == b"cut-out 1 of cat"
    assert shop.received() == PRICE


@pytest.mark.case("P9")
async def test_a_second_refusal_says_nothing_of_the_first_broadcast(shop: Shop) -> None:
    payment = shop.pay()
    for fault in ("lost_after", "refused"):
        shop.rail.faults.settle = fault
        with pytest.raises(OutcomeUnknownError):
            await shop.buy(payment)
    shop.chain.mine()

    assert await shop.buy(payment)
    assert shop.received() == PRICE


async def test_a_settlement_that_hangs_is_unknown(tmp_path: Path) -> None:
    async with open_shop(tmp_path, limits=GateLimits(settle_s=0.05)) as shop:

        async def hang(*_arguments: object) -> None:
            await asyncio.Event().wait()

        shop.rail.settle = hang  # type: ignore[method-assign, assignment]
        with pytest.raises(OutcomeUnknownError):
            await shop.buy(shop.pay())
        assert shop.report().states == {State.UNKNOWN: 1}


@pytest.mark.case("P10")
async def test_a_nonce_that_went_elsewhere_grants_nothing(shop: Shop) -> None:
    payment = shop.pay()
    shop.rail.faults.settle = "lost_before"
    with pytest.raises(OutcomeUnknownError):
        await shop.buy(payment)
    shop.chain.burn(payment.credential.transfer)  # type: ignore[attr-defined]

    with pytest.raises(PaymentRequiredError):
        await shop.buy(payment)
    assert shop.received() == 0


async def test_a_holder_that_wakes_late_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    payment = shop.pay()
    async with (
        open_shop(tmp_path, shop.url, shop.chain) as second,
        shop.gate.open(payment, charge_for(b"cat")) as ticket,
    ):
        shop.chain.now += GateLimits().lease_s + 1
        result = await second.buy(payment)

        with pytest.raises(PaymentInProgressError):
            await ticket.keep(ResultInfo("image/png", 4), once(b"late"))
    assert await shop.buy(payment) == result
    assert shop.received() == PRICE


@pytest.mark.case("P1")
async def test_a_verdict_on_a_claim_that_was_taken_over_is_none(shop: Shop, tmp_path: Path) -> None:
    """What the late one sees on the chain is the work of whoever took over: its payer must not be sent to pay anew."""
    used, drained = shop.pay("used"), shop.pay("drained")
    async with open_shop(tmp_path, shop.url, shop.chain) as second:

        async def step(name: str) -> None:
            if name != "verify":
                return
            shop.chain.now += GateLimits().lease_s + 1
            with suppress(OutcomeUnknownError):
                await second.buy(payment)
            shop.chain.drain("0xpayer")

        shop.rail._step = step
        for payment, settlement in ((used, ""), (drained, "lost_after")):
            shop.chain.balances["0xpayer"] = PRICE
            second.rail.faults.settle = settlement
            with pytest.raises(PaymentInProgressError):
                await shop.buy(payment)
    assert shop.report().states == {State.DELIVERED: 1, State.UNKNOWN: 1}


async def test_a_renewed_lease_keeps_the_others_away(tmp_path: Path) -> None:
    limits = GateLimits(lease_s=0.09)
    async with open_shop(tmp_path, limits=limits) as shop:
        await shop.gate.start()
        async with shop.gate.open(shop.pay(), charge_for(b"cat")) as ticket:
            before = (await _claim(shop)).lease_until
            shop.chain.now += 1
            while (await _claim(shop)).lease_until == before:  # noqa: ASYNC110 - the heartbeat is what is waited for.
                await asyncio.sleep(0.01)
            with pytest.raises(PaymentInProgressError):
                await shop.buy(shop.pay())
            await shop.work(ticket)


async def _claim(shop: Shop) -> Claim:
    return (await asyncio.to_thread(shop.report)).recent[0]


async def test_a_settlement_goes_on_when_its_client_has_gone(shop: Shop) -> None:
    payment, broadcast = shop.pay(), asyncio.Event()
    go_on = asyncio.Event()

    async def step(name: str) -> None:
        if name == "after the broadcast":
            broadcast.set()
            await go_on.wait()

    shop.rail._step = step
    request = asyncio.ensure_future(shop.buy(payment))
    await broadcast.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    go_on.set()
    await shop.gate.close()

    assert shop.report().states == {State.SETTLED: 1}
    assert await shop.buy(payment) == b"cut-out 1 of cat"
    assert shop.received() == PRICE


async def test_a_prepaid_credential_survives_failed_work(shop: Shop) -> None:
    payment = shop.push()
    with pytest.raises(ZeroDivisionError):
        async with shop.gate.open(payment, charge_for(b"cat")):
            raise ZeroDivisionError
    assert shop.report().redeemable == PRICE

    shop.chain.now += 20 * 24 * HOUR_S
    await Sweeper(shop.ledger, shop.results, GateLimits()).sweep()
    assert await shop.buy(payment)
    assert shop.received() == shop.report().delivered == PRICE


async def test_a_lost_result_that_was_paid_for_is_made_again_and_not_charged_again(shop: Shop, tmp_path: Path) -> None:
    payment = shop.pay()
    async with shop.gate.open(payment, charge_for(b"cat")) as ticket:
        await shop.work(ticket)
        await ticket.settle()
    for file in (tmp_path / "results").rglob("*/*/*"):
        file.unlink()

    assert await shop.buy(payment) == b"cut-out 2 of cat"
    assert shop.received() == PRICE


async def test_a_result_of_another_size_is_not_sold(shop: Shop) -> None:
    with pytest.raises(ValueError, match="bytes"):
        async with shop.gate.open(shop.pay(), charge_for(b"cat")) as ticket:
            await ticket.keep(ResultInfo("image/png", 5), once(b"four"))

    assert shop.report().states == {State.RELEASED: 1}


async def test_an_abandoned_credential_meets_the_one_that_took_over_its_name(shop: Shop) -> None:
    first, second = (shop.pay(nonce, key="order 1", funds=2 * PRICE) for nonce in ("a", "b"))
    async with shop.gate.open(first, charge_for(b"cat")) as ticket:
        await shop.work(ticket)

    result = await shop.buy(second)

    assert await shop.buy(first) == result
    assert shop.received() == PRICE

"""What the gate promises, one story a test."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapter.payments.errors import (
    MalformedPaymentError,
    PaymentInProgressError,
    PaymentRequiredError,
    PaymentSpentError,
    RequestMismatchError,
    ResultExpiredError,
    RetryablePaymentError,
    StoreUnavailableError,
)
from adapter.payments.gate import GateLimits
from adapter.payments.ledger.claim import State
from adapter.payments.payment import Payment
from adapter.payments.sweeper import Sweeper
from tests.support.payments.model_rail import PRICE
from tests.support.payments.shop import Shop, open_shop
from tests.support.payments.world import VALIDITY_S, charge_for

HOUR_S = 3600.0


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path) as shop:
        yield shop


async def test_a_paid_request_passes_every_step_once(shop: Shop) -> None:
    assert await shop.buy(shop.pay()) == b"cut-out 1 of cat"

    assert shop.passed == ["claimed", "verified", "worked", "settling", "settled", "delivered"]
    assert shop.received() == PRICE
    assert shop.report().delivered == PRICE


@pytest.mark.case("P1")
async def test_copies_at_once_in_two_processes_are_worked_settled_and_delivered_once(
    shop: Shop, tmp_path: Path
) -> None:
    payment = shop.pay()
    async with open_shop(tmp_path, shop.url, shop.chain) as second:
        answers = await asyncio.gather(
            *((shop, second)[copy % 2].buy(payment) for copy in range(40)), return_exceptions=True
        )

        results = {answer for answer in answers if isinstance(answer, bytes)}
        refusals = [answer for answer in answers if not isinstance(answer, bytes)]
        assert len(results) == 1
        assert all(isinstance(refusal, PaymentInProgressError) for refusal in refusals)
        assert shop.works + second.works == 1
        assert len(shop.rail.settled) + len(second.rail.settled) == 1
    assert shop.received() == shop.report().delivered == PRICE


@pytest.mark.case("P2")
async def test_a_replay_gets_the_same_bytes_without_work_also_elsewhere_and_after_expiry(
    shop: Shop, tmp_path: Path
) -> None:
    payment = shop.pay()
    first = await shop.buy(payment)
    shop.chain.now += VALIDITY_S + HOUR_S

    assert await shop.buy(payment) == first
    async with open_shop(tmp_path, shop.url, shop.chain) as another:
        assert await another.buy(payment) == first
        assert another.works == 0
    assert shop.works == 1
    assert shop.received() == PRICE


@pytest.mark.case("P2")
async def test_a_result_is_kept_for_a_day_after_its_delivery_and_then_gone(shop: Shop) -> None:
    payment = shop.pay()
    await shop.buy(payment)
    sweeper = Sweeper(shop.ledger, shop.results, GateLimits())

    shop.chain.now += 24 * HOUR_S - 1
    await sweeper.sweep()
    assert await shop.buy(payment)
    shop.chain.now += 2
    await sweeper.sweep()
    with pytest.raises(ResultExpiredError):
        await shop.buy(payment)
    assert shop.received() == PRICE


@pytest.mark.case("P5")
async def test_a_credential_is_bound_to_the_request_it_came_with(shop: Shop) -> None:
    payment = shop.pay()
    await shop.buy(payment, b"cat")

    with pytest.raises(RequestMismatchError):
        await shop.buy(payment, b"dog")


async def test_a_credential_whose_work_failed_stays_bound_and_pays_for_the_retry(shop: Shop) -> None:
    payment = shop.pay()
    with pytest.raises(ZeroDivisionError):
        async with shop.gate.open(payment, charge_for(b"cat")):
            raise ZeroDivisionError

    assert shop.received() == 0
    with pytest.raises(RequestMismatchError):
        await shop.buy(payment, b"dog")
    assert await shop.buy(payment, b"cat")


@pytest.mark.case("P3")
@pytest.mark.case("P6")
async def test_all_keys_of_a_payment_lead_to_one_claim(shop: Shop) -> None:
    first = shop.push("p", memo="challenge")
    await shop.buy(first)
    # The same transaction under another challenge.
    second = shop.push("p", memo="another challenge")

    with pytest.raises(PaymentSpentError):
        await shop.buy(second)
    assert shop.works == 1
    assert shop.report().states == {State.DELIVERED: 1}


async def test_an_invalid_credential_leaves_nothing_behind(shop: Shop) -> None:
    with pytest.raises(PaymentRequiredError):
        await shop.buy(shop.pay(good=False))

    assert shop.report().states == {}
    assert await shop.buy(shop.pay(good=True))


async def test_a_settled_nonce_under_another_signature_is_refused(shop: Shop) -> None:
    await shop.buy(shop.pay())

    with pytest.raises(PaymentSpentError):
        await shop.buy(shop.pay(good=False))


async def test_one_name_for_a_request_is_one_purchase_whatever_pays_it(shop: Shop) -> None:
    first = await shop.buy(shop.pay("a", key="order 1"))

    assert await shop.buy(shop.pay("b", key="order 1")) == first
    assert shop.received() == PRICE
    assert shop.rail.verified[-1] == "b", "the second credential was not verified"
    with pytest.raises(PaymentRequiredError):
        await shop.buy(shop.pay("c", key="order 1", good=False))
    with pytest.raises(RequestMismatchError):
        await shop.buy(shop.pay("d", key="order 1"), b"dog")


async def test_two_credentials_with_one_name_at_once_are_charged_once(shop: Shop) -> None:
    payments = [shop.pay(nonce, key="order 1", funds=2 * PRICE) for nonce in ("a", "b")]

    answers = await asyncio.gather(*map(shop.buy, payments), return_exceptions=True)

    assert sum(isinstance(answer, bytes) for answer in answers) >= 1
    assert all(isinstance(answer, bytes | RetryablePaymentError) for answer in answers)
    assert [await shop.buy(payment) for payment in payments] == [b"cut-out 1 of cat"] * 2
    assert shop.received() == PRICE


@pytest.mark.case("P13")
@pytest.mark.parametrize(("left_s", "accepted"), [(26, True), (24, False)])
async def test_what_expires_before_work_and_settlement_is_refused_up_front(
    shop: Shop, left_s: int, *, accepted: bool
) -> None:
    payment = shop.pay()
    shop.chain.now += VALIDITY_S - left_s
    if accepted:
        assert await shop.buy(payment)
        return
    with pytest.raises(PaymentRequiredError, match="expires"):
        await shop.buy(payment)
    assert shop.rail.verified == []
    assert shop.works == 0


@pytest.mark.case("P14")
async def test_without_the_ledger_nothing_is_verified_or_worked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapter.payments.ledger.database.Database.run", _down)

    with pytest.raises(StoreUnavailableError):
        await shop.buy(shop.pay())
    assert shop.rail.verified == []
    assert shop.works == 0


async def _down(*_arguments: object) -> None:
    raise StoreUnavailableError("ledger_unavailable", "Down.")


@pytest.mark.case("P15")
async def test_two_payments_in_one_request_are_refused(shop: Shop) -> None:
    charge, both = charge_for(b"cat"), ["x402", "mpp"]
    assert isinstance(await shop.gate.parse([("x402", "n")], charge, both), Payment)
    assert await shop.gate.parse([("x402", "n")], charge, ["mpp"]) is None

    for headers in ([("x402", "n"), ("mpp", "n")], [("x402", "n"), ("x402", "n")]):
        with pytest.raises(MalformedPaymentError):
            await shop.gate.parse(headers, charge, both)


@pytest.mark.case("P18")
@pytest.mark.parametrize(
    ("limits", "validity_s"),
    [(GateLimits(work_s=15), 24), (GateLimits(retention_h=0.01), 180)],
    ids=["too short to work and settle", "results gone before the payments are"],
)
def test_limits_that_contradict_each_other_are_refused(limits: GateLimits, validity_s: float) -> None:
    GateLimits().require_validity(180, 10)
    with pytest.raises(ValueError, match="payments"):
        limits.require_validity(validity_s, 10)

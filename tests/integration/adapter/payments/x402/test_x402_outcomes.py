"""Settlements that do not simply succeed: what is certain, what is unknown, and that nobody pays twice or in vain."""

import asyncio
import dataclasses
import time
from typing import Any

import pytest

from adapter.payments.errors import (
    OutcomeUnknownError,
    PaymentRequiredError,
    PaymentSpentError,
    RailUnavailableError,
)
from adapter.payments.payment import Settlement, Verdict
from adapter.payments.x402.rail import X402Rail
from tests.integration.adapter.payments.x402.conftest import OpenRail
from tests.support.devnet import DevChain, new_wallet
from tests.support.token_calls import await_pending, cancel_authorization, send_authorization, transfer
from tests.support.x402_payer import CHARGE, PRICE, present, sign, verify

_FULL = 10_000_000


@pytest.mark.parametrize("fault", [{"drop_after": True}, {"after": "internal error"}], ids=["silent", "error"])
@pytest.mark.case("P9")
async def test_a_reply_lost_after_the_broadcast(chain: DevChain, open_rail: OpenRail, fault: dict[str, Any]) -> None:
    payer = chain.funded_payer()
    with chain.faulty() as proxy:
        async with open_rail(rpc_url=proxy.rpc_url) as rail:
            payment = await verify(rail, present(sign(payer.key, chain.recipient)))
            proxy.set("eth_sendRawTransaction", **fault)
            settlement = await rail.settle(payment, CHARGE)
            assert proxy.calls("eth_sendRawTransaction") == 1
    assert chain.call("eth_getTransactionReceipt", settlement.transaction)["status"] == "0x1"
    assert chain.balance(payer.address) == _FULL - PRICE


@pytest.mark.parametrize("fault", [{"drop_before": True}, {"before": "internal error"}], ids=["silent", "error"])
@pytest.mark.case("P9")
async def test_a_broadcast_that_never_arrived(chain: DevChain, open_rail: OpenRail, fault: dict[str, Any]) -> None:
    payer = chain.funded_payer()
    with chain.faulty() as proxy:
        async with open_rail(rpc_url=proxy.rpc_url, settle_s=1) as rail:
            payment = await verify(rail, present(sign(payer.key, chain.recipient)))
            proxy.set("eth_sendRawTransaction", **fault, times=1)
            with pytest.raises(OutcomeUnknownError):
                await rail.settle(payment, CHARGE)
            assert await rail.look_up(payment.facts) is Verdict.OPEN
            await rail.settle(payment, CHARGE)
    assert chain.balance(payer.address) == _FULL - PRICE


@pytest.mark.case("P9")
async def test_a_settlement_that_is_not_mined_in_time(chain: DevChain, open_rail: OpenRail) -> None:
    payer = chain.funded_payer()
    async with open_rail(settle_s=1) as rail:
        payment = await verify(rail, present(sign(payer.key, chain.recipient)))
        with chain.no_mining():
            with pytest.raises(OutcomeUnknownError):
                await rail.settle(payment, CHARGE)
            assert await rail.look_up(payment.facts) is Verdict.OPEN
            with pytest.raises(OutcomeUnknownError):
                await rail.settle(payment, CHARGE)
            assert chain.call("txpool_status")["pending"] == "0x1", "the second attempt must wait for the first"
            chain.mine()
            outcome = await rail.look_up(payment.facts)
        assert isinstance(outcome, Settlement)
        assert (await rail.settle(payment, CHARGE)).transaction == outcome.transaction
    assert chain.balance(payer.address) == _FULL - PRICE


@pytest.mark.case("P11")
async def test_a_settlement_left_by_a_process_that_died(chain: DevChain, open_rail: OpenRail) -> None:
    """The next one knows nothing but the payment, broadcasts again, and the token takes the money once."""
    payer, key = chain.funded_payer(), chain.hot_key().key
    async with open_rail(settle_s=1, key=key) as dying, open_rail(key=key) as heir:
        payment = await verify(dying, present(sign(payer.key, chain.recipient)))
        with chain.no_mining():
            with pytest.raises(OutcomeUnknownError):
                await dying.settle(payment, CHARGE)
            settling = asyncio.create_task(heir.settle(payment, CHARGE))
            await await_pending(chain, 2)
            chain.mine()
            settlement = await settling
        assert await heir.look_up(payment.facts) == settlement
    assert chain.balance(payer.address) == _FULL - PRICE


@pytest.mark.case("P9")
async def test_a_node_that_dies_after_the_broadcast(chain: DevChain, open_rail: OpenRail, rail: X402Rail) -> None:
    payer = chain.funded_payer()
    with chain.faulty() as proxy:
        async with open_rail(rpc_url=proxy.rpc_url, settle_s=1) as blind:
            payment = await verify(blind, present(sign(payer.key, chain.recipient)))
            proxy.set("eth_getTransactionReceipt", drop_before=True)
            proxy.set("eth_getLogs", drop_before=True)
            with pytest.raises(OutcomeUnknownError):
                await blind.settle(payment, CHARGE)
            proxy.set("*", drop_before=True)
            with pytest.raises(RailUnavailableError):
                await blind.look_up(payment.facts)
            with pytest.raises(OutcomeUnknownError):
                await blind.settle(payment, CHARGE)
    assert isinstance(await rail.look_up(payment.facts), Settlement)
    assert chain.balance(payer.address) == _FULL - PRICE


async def test_refused_broadcasts_give_their_nonces_back(chain: DevChain, open_rail: OpenRail) -> None:
    with chain.faulty() as proxy:
        async with open_rail(rpc_url=proxy.rpc_url) as rail:
            payments = [await verify(rail, present(sign(chain.funded_payer().key, chain.recipient))) for _ in range(6)]
            proxy.set("eth_sendRawTransaction", before="insufficient funds for gas * price + value")
            for payment in payments:
                with pytest.raises(OutcomeUnknownError):  # Our fault, not the payer's: nobody is asked to pay again.
                    await rail.settle(payment, CHARGE)
            proxy.clear()
            settlements = await asyncio.gather(*(rail.settle(payment, CHARGE) for payment in payments))
    assert len({settlement.transaction for settlement in settlements}) == 6


async def test_a_payer_drained_between_verification_and_settlement(rail: X402Rail, chain: DevChain) -> None:
    payer = chain.funded_payer(PRICE)
    payment = await verify(rail, present(sign(payer.key, chain.recipient)))
    transfer(chain, payer, new_wallet().address, PRICE)
    with pytest.raises(PaymentRequiredError) as refused:
        await rail.settle(payment, CHARGE)
    assert refused.value.reason == "invalid_exact_evm_insufficient_balance"
    assert await rail.look_up(payment.facts) is Verdict.OPEN


@pytest.mark.case("P12")
async def test_a_settlement_that_is_reverted(rail: X402Rail, chain: DevChain) -> None:
    payer = chain.funded_payer(PRICE)
    payment = await verify(rail, present(sign(payer.key, chain.recipient)))
    with chain.no_mining():
        settling = asyncio.create_task(rail.settle(payment, CHARGE))
        await await_pending(chain, 1)
        transfer(chain, payer, new_wallet().address, PRICE, first=True)
        chain.mine()
        with pytest.raises(PaymentRequiredError) as refused:
            await settling
    assert refused.value.reason == "transaction_failed"


@pytest.mark.case("P10")
async def test_a_nonce_used_for_another_transfer(rail: X402Rail, chain: DevChain) -> None:
    payer = chain.funded_payer()
    payload = sign(payer.key, chain.recipient)
    payment = await verify(rail, present(payload))
    elsewhere = sign(payer.key, new_wallet().address, nonce=payload["authorization"]["nonce"])
    send_authorization(chain, elsewhere)
    with pytest.raises(PaymentRequiredError):
        await rail.settle(payment, CHARGE)
    assert await rail.look_up(payment.facts) is Verdict.VOID
    with pytest.raises(PaymentSpentError):
        await verify(rail, present(payload))


@pytest.mark.case("P10")
async def test_a_nonce_used_for_a_smaller_transfer_to_us(rail: X402Rail, chain: DevChain) -> None:
    payer = chain.funded_payer()
    payload = sign(payer.key, chain.recipient)
    payment = await verify(rail, present(payload))
    send_authorization(chain, sign(payer.key, chain.recipient, amount=1, nonce=payload["authorization"]["nonce"]))
    assert await rail.look_up(payment.facts) is Verdict.VOID


@pytest.mark.case("P10")
async def test_an_authorization_that_was_cancelled(rail: X402Rail, chain: DevChain) -> None:
    payer = chain.funded_payer()
    payload = sign(payer.key, chain.recipient)
    payment = await verify(rail, present(payload))
    cancel_authorization(chain, payer, payload["authorization"]["nonce"])
    assert await rail.look_up(payment.facts) is Verdict.VOID
    with pytest.raises(PaymentRequiredError):
        await rail.settle(payment, CHARGE)


async def test_an_authorization_that_somebody_else_brought_to_the_chain(rail: X402Rail, chain: DevChain) -> None:
    """The money has arrived all the same."""
    payer = chain.funded_payer()
    payload = sign(payer.key, chain.recipient)
    payment = await verify(rail, present(payload))
    transaction = send_authorization(chain, payload)
    assert (await rail.settle(payment, CHARGE)).transaction == transaction
    assert chain.balance(payer.address) == _FULL - PRICE


async def test_a_payment_that_expired_unsettled_is_void(rail: X402Rail, chain: DevChain) -> None:
    payment = await verify(rail, present(sign(chain.funded_payer().key, chain.recipient, life_s=20)))
    facts = payment.facts
    assert facts.expires_at is not None
    assert await rail.look_up(facts) is Verdict.OPEN
    chain.mine()
    long_ago = dataclasses.replace(facts, expires_at=int(time.time()) - 60)
    assert await rail.look_up(long_ago) is Verdict.VOID


@pytest.mark.case("P4")
async def test_the_same_nonce_of_another_payer_is_another_payment(rail: X402Rail, chain: DevChain) -> None:
    one, other = chain.funded_payer(), chain.funded_payer()
    first = sign(one.key, chain.recipient)
    second = sign(other.key, chain.recipient, nonce=first["authorization"]["nonce"])
    for payload in (first, second):
        await rail.settle(await verify(rail, present(payload)), CHARGE)
    assert {chain.balance(payer.address) for payer in (one, other)} == {_FULL - PRICE}


@pytest.mark.case("P1")
async def test_one_payment_settled_five_times_at_once(rail: X402Rail, chain: DevChain) -> None:
    """The gate lets only one through; were it not there, the token would still take the money once."""
    payer = chain.funded_payer()
    payment = await verify(rail, present(sign(payer.key, chain.recipient)))
    outcomes = await asyncio.gather(*(rail.settle(payment, CHARGE) for _ in range(5)), return_exceptions=True)
    settled = {outcome.transaction for outcome in outcomes if isinstance(outcome, Settlement)}
    assert len(settled) == 1
    assert all(isinstance(outcome, Settlement | OutcomeUnknownError) for outcome in outcomes), outcomes
    assert chain.balance(payer.address) == _FULL - PRICE


async def test_two_payments_with_money_for_one(rail: X402Rail, chain: DevChain) -> None:
    payer = chain.funded_payer(PRICE)
    payments = [await verify(rail, present(sign(payer.key, chain.recipient))) for _ in range(2)]
    outcomes = await asyncio.gather(*(rail.settle(payment, CHARGE) for payment in payments), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["PaymentRequiredError", "Settlement"]
    assert chain.balance(payer.address) == 0

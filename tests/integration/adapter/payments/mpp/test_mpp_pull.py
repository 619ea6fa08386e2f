"""Pull: signed by the official client, checked before the work, broadcast after it."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import mpp
import pytest

from adapter.payments.charge import Charge
from adapter.payments.errors import PaymentRequiredError, PaymentSpentError
from adapter.payments.payment import Settlement, Verdict
from tests.integration.adapter.payments.mpp.market import CHARGE, PRICE, Market, accept, ask, open_rail, read
from tests.support.tempo import ALPHA_USD, memo_for, pull, read_challenge, recovery_id, with_recovery_id


async def test_exactly_the_price_moves_and_the_receipt_names_the_transaction(market: Market) -> None:
    payer = market.chain.funded_payer()
    payment = await accept(market.rail, await market.buy(key=payer.key))
    assert await market.rail.look_up(payment.facts) is Verdict.OPEN
    before = market.earned()
    settlement = await market.rail.settle(payment, CHARGE)
    assert market.earned() == before + PRICE
    found = await market.rail.look_up(payment.facts)
    assert isinstance(found, Settlement)
    assert found.transaction == settlement.transaction
    assert payment.facts.payer == payer.address.lower()
    assert payment.facts.keys[1] == f"tempo:42431:{settlement.transaction[2:]}"
    header = market.rail.receipt(payment, settlement)["Payment-Receipt"]
    assert mpp.Receipt.from_payment_receipt(header).reference == settlement.transaction
    assert market.rail.receipt(payment, settlement)["Payment-Receipt"] == header


async def test_a_fresh_payment_of_the_official_client_lives_for_25_s(market: Market) -> None:
    payment = await read(market.rail, await market.buy())
    assert payment.facts.expires_at is not None
    assert payment.facts.expires_at - time.time() > 20


@pytest.mark.case("P1")
async def test_settling_at_once_many_times_charges_once(market: Market) -> None:
    payment, before = await accept(market.rail, await market.buy()), market.earned()
    settlements = await asyncio.gather(*(market.rail.settle(payment, CHARGE) for _ in range(5)))
    assert len({settlement.transaction for settlement in settlements}) == 1
    assert market.earned() == before + PRICE


@pytest.mark.case("P2")
async def test_a_restarted_rail_settles_the_same_payment_again_and_charges_once(market: Market) -> None:
    credential, before = await market.buy(), market.earned()
    first = await market.rail.settle(await accept(market.rail, credential), CHARGE)
    async with open_rail(market.chain) as restarted:
        again = await restarted.settle(await accept(restarted, credential), CHARGE)
    assert again.transaction == first.transaction
    assert market.earned() == before + PRICE


@pytest.mark.case("P3")
async def test_a_signature_spelled_otherwise_is_the_same_claim_and_the_same_transaction(market: Market) -> None:
    challenge, transfer = await market.transfer()
    signed = transfer.sign(market.chain.funded_payer().key)
    respelled = with_recovery_id(signed, recovery_id(signed) - 27)
    payment = await accept(market.rail, pull(challenge, respelled))
    assert payment.facts.keys == (await read(market.rail, pull(challenge, signed))).facts.keys
    settlement = await market.rail.settle(payment, CHARGE)
    assert market.chain.call("eth_getTransactionReceipt", settlement.transaction)["status"] == "0x1"


async def test_a_challenge_asked_for_with_an_empty_body_pays_for_any(market: Market) -> None:
    credential = await market.buy(charge=replace(CHARGE, body=b""))
    assert (await accept(market.rail, credential)).facts.amount == PRICE


@pytest.mark.case("P5")
@pytest.mark.parametrize(
    "other",
    [
        replace(CHARGE, body=b"another picture"),
        replace(CHARGE, operation="blur"),
        replace(CHARGE, amount=60_000),
    ],
    ids=["body", "operation", "price"],
)
async def test_a_payment_for_one_thing_buys_no_other(market: Market, other: Charge) -> None:
    with pytest.raises(PaymentRequiredError) as refused:
        await accept(market.rail, await market.buy(), other)
    assert refused.value.reason == "invalid_challenge"


@pytest.mark.case("P5")
@pytest.mark.parametrize(
    "changes",
    [{"recipient": "0x" + "ab" * 20}, {"secret": "another secret of enough characters"}, {"realm": "another realm"}],
    ids=["recipient", "secret", "realm"],
)
async def test_a_payment_to_another_seller_is_refused(market: Market, changes: dict[str, str]) -> None:
    async with open_rail(market.chain, **changes) as other:
        with pytest.raises(PaymentRequiredError) as refused:
            await accept(other, await market.buy())
    assert refused.value.reason == "invalid_challenge"


@pytest.mark.parametrize(
    "changes",
    [{"amount": PRICE - 1}, {"token": ALPHA_USD}, {"recipient": "0x" + "ab" * 20}, {"chain_id": 4217}],
    ids=["amount", "token", "recipient", "chain"],
)
async def test_a_transaction_that_pays_something_else_is_refused(market: Market, changes: dict[str, Any]) -> None:
    challenge, transfer = await market.transfer(**changes)
    with pytest.raises(PaymentRequiredError) as refused:
        await accept(market.rail, pull(challenge, transfer.sign(market.chain.funded_payer().key)))
    assert refused.value.reason == "verification_failed"


async def test_a_transaction_for_another_challenge_is_refused_without_a_new_challenge(market: Market) -> None:
    challenge = read_challenge(await ask(market.rail))
    _, foreign = await market.transfer()
    with pytest.raises(PaymentSpentError):
        await accept(market.rail, pull(challenge, foreign.sign(market.chain.funded_payer().key)))


async def test_a_source_that_did_not_sign_is_refused(market: Market) -> None:
    challenge, transfer = await market.transfer()
    source = f"did:pkh:eip155:42431:{market.chain.payer}"
    with pytest.raises(PaymentRequiredError):
        await accept(market.rail, pull(challenge, transfer.sign(market.chain.funded_payer().key), source))


@pytest.mark.parametrize("funds", [0, PRICE - 1, PRICE], ids=["nothing", "too little", "nothing for the fee"])
async def test_a_payer_without_the_money_is_refused_before_the_work(market: Market, funds: int) -> None:
    challenge, transfer = await market.transfer()
    with pytest.raises(PaymentRequiredError) as refused:
        await accept(market.rail, pull(challenge, transfer.sign(market.chain.funded_payer(funds).key)))
    assert refused.value.reason == "payment_insufficient"


async def test_a_fee_in_the_token_the_account_prefers_is_looked_for_there(market: Market) -> None:
    """The chain's own account has chosen AlphaUSD for its fees, and its transaction names no fee token."""
    challenge, transfer = await market.transfer(fee_token=None)
    payment = await accept(market.rail, pull(challenge, transfer.sign(market.chain.payer_key)))
    before = market.chain.balance(market.chain.payer)
    await market.rail.settle(payment, CHARGE)
    assert market.chain.balance(market.chain.payer) == before - PRICE


async def test_a_payer_drained_during_the_work_is_a_definite_refusal(market: Market) -> None:
    payer = market.chain.funded_payer(PRICE + 100_000)
    payment = await accept(market.rail, await market.buy(key=payer.key))
    _, drain = await market.transfer(recipient="0x" + "cd" * 20, amount=PRICE + 50_000)
    market.send(drain.sign(payer.key))
    before = market.earned()
    with pytest.raises(PaymentRequiredError):
        await market.rail.settle(payment, CHARGE)
    assert market.earned() == before


@pytest.mark.case("P12")
async def test_a_settlement_that_reverts_is_no_settlement(market: Market) -> None:
    """Enough is left for the fee, so that the chain takes the transaction, mines it and reverts it."""
    payer = market.chain.funded_payer(400_000)
    challenge, transfer = await market.transfer()
    payment = await accept(market.rail, pull(challenge, transfer.sign(payer.key)))
    _, drain = await market.transfer(recipient="0x" + "cd" * 20)
    fee = 40_000  # The most that 1,000,000 gas cost at the transfer's price, in base units.
    market.send(replace(drain, amount=market.chain.balance(payer.address) - PRICE - fee).sign(payer.key))
    market.send(replace(drain, amount=PRICE - 5_000, memo=memo_for(challenge)).sign(payer.key))
    before = market.earned()
    with pytest.raises(PaymentRequiredError):
        await market.rail.settle(payment, CHARGE)
    receipt = market.chain.call("eth_getTransactionReceipt", payment.facts.evidence["transaction"])
    assert receipt["status"] == "0x0"
    assert await market.rail.look_up(payment.facts) is Verdict.VOID
    assert market.earned() == before


@pytest.mark.case("P13")
async def test_an_expired_transaction_is_refused_up_front(market: Market) -> None:
    challenge, transfer = await market.transfer(life_s=-1)
    with pytest.raises(PaymentRequiredError) as refused:
        await accept(market.rail, pull(challenge, transfer.sign(market.chain.funded_payer().key)))
    assert refused.value.reason == "payment_expired"


@pytest.mark.parametrize("life_s", [1_000, 10**6])
async def test_a_transaction_that_could_be_mined_much_later_is_refused(market: Market, life_s: int) -> None:
    challenge, transfer = await market.transfer(life_s=life_s)
    with pytest.raises(PaymentRequiredError) as refused:
        await accept(market.rail, pull(challenge, transfer.sign(market.chain.funded_payer().key)))
    assert refused.value.reason == "verification_failed"


async def test_a_payment_that_came_too_late_for_the_chain_moves_nothing(market: Market) -> None:
    """anvil's pool wants more than 3 s of life; what the gate let through in time may be late by then."""
    challenge, transfer = await market.transfer(life_s=2)
    payment = await read(market.rail, pull(challenge, transfer.sign(market.chain.funded_payer().key)))
    before = market.earned()
    with pytest.raises(PaymentRequiredError):
        await market.rail.settle(payment, CHARGE)
    assert market.earned() == before


async def test_a_payment_that_its_payer_broadcast_already_is_not_asked_for_twice(market: Market) -> None:
    """Its balance does not cover the price any more, because this very transaction took it."""
    payer = market.chain.funded_payer(PRICE + 45_000)
    challenge, transfer = await market.transfer()
    signed = transfer.sign(payer.key)
    market.send(signed)
    assert market.chain.balance(payer.address) < PRICE
    before = market.earned()
    payment = await accept(market.rail, pull(challenge, signed))
    await market.rail.settle(payment, CHARGE)
    assert market.earned() == before

"""Push: the payer has broadcast already, and its money has moved. Nothing here may make a client pay once more."""

import asyncio
from dataclasses import replace
from typing import Any

import mpp
import pytest

from adapter.payments.errors import PaymentRequiredError, PaymentSpentError, RailUnavailableError
from adapter.payments.payment import Settlement
from tests.integration.adapter.payments.mpp.market import (
    CHARGE,
    PRICE,
    SECRET,
    Market,
    accept,
    ask,
    open_rail,
    read,
)
from tests.support.tempo import ALPHA_USD, TempoTransfer, memo_for, push, read_challenge


async def test_the_transfer_is_found_and_nothing_more_is_taken(market: Market) -> None:
    payer, before = market.chain.funded_payer(), market.earned()
    payment = await accept(market.rail, await market.buy("push", key=payer.key))
    settlement = await market.rail.settle(payment, CHARGE)
    assert market.earned() == before + PRICE
    assert settlement.transaction == payment.facts.evidence["transaction"]
    assert await market.rail.look_up(payment.facts) == settlement
    assert payment.facts.payer == payer.address.lower()
    assert payment.facts.expires_at is None


async def test_who_pays_is_read_from_the_transfer_where_the_credential_does_not_say(market: Market) -> None:
    payer = market.chain.funded_payer()
    challenge, transfer = await market.transfer()
    credential = push(challenge, market.send(transfer.sign(payer.key)))
    assert (await read(market.rail, credential)).facts.payer == ""
    assert (await accept(market.rail, credential)).facts.payer == payer.address.lower()


@pytest.mark.case("P3")
async def test_a_hash_in_capitals_is_the_same_claim(market: Market) -> None:
    challenge, transfer = await market.transfer()
    spent = market.send(transfer.sign(market.chain.funded_payer().key))
    lower = await read(market.rail, push(challenge, spent))
    upper = await read(market.rail, push(challenge, "0x" + spent[2:].upper()))
    assert lower.facts == upper.facts


@pytest.mark.case("P6")
async def test_a_transaction_and_later_its_hash_are_one_claim(market: Market) -> None:
    signed = await accept(market.rail, await market.buy("pull"))
    settlement = await market.rail.settle(signed, CHARGE)
    challenge = read_challenge(await ask(market.rail))
    again = await read(market.rail, push(challenge, settlement.transaction))
    assert again.facts.keys[1] == signed.facts.keys[1]
    with pytest.raises(PaymentSpentError):
        await market.rail.verify(again, CHARGE)


@pytest.mark.case("P7")
@pytest.mark.parametrize(
    "changes",
    [
        {"memo": "0x" + "00" * 32},
        {"token": ALPHA_USD, "fee_token": None},
        {"recipient": "0x" + "ab" * 20},
        {"amount": PRICE - 1},
        {"amount": PRICE + 1},
    ],
    ids=["memo", "token", "recipient", "less", "more"],
)
async def test_a_hash_that_did_not_pay_this_challenge_is_refused(market: Market, changes: dict[str, Any]) -> None:
    challenge, transfer = await market.transfer(**changes)
    spent = market.send(transfer.sign(market.chain.payer_key))
    assert market.chain.call("eth_getTransactionReceipt", spent)["status"] == "0x1"
    with pytest.raises(PaymentSpentError):
        await accept(market.rail, push(challenge, spent))


@pytest.mark.case("P7")
async def test_a_hash_that_paid_another_challenge_is_refused(market: Market) -> None:
    _, foreign = await market.transfer()
    spent = market.send(foreign.sign(market.chain.funded_payer().key))
    with pytest.raises(PaymentSpentError):
        await accept(market.rail, push(read_challenge(await ask(market.rail)), spent))


@pytest.mark.case("P7")
async def test_a_hash_that_somebody_else_paid_is_refused(market: Market) -> None:
    challenge, transfer = await market.transfer()
    spent = market.send(transfer.sign(market.chain.funded_payer().key))
    with pytest.raises(PaymentSpentError):
        await accept(market.rail, push(challenge, spent, f"did:pkh:eip155:42431:{market.chain.payer}"))


@pytest.mark.case("P7")
async def test_a_reverted_transaction_moved_nothing_so_the_payer_may_pay(market: Market) -> None:
    challenge, transfer = await market.transfer(amount=10**9)  # A thousand dollars of ten.
    spent = market.send(transfer.sign(market.chain.funded_payer().key))
    assert market.chain.call("eth_getTransactionReceipt", spent)["status"] == "0x0"
    with pytest.raises(PaymentRequiredError):
        await accept(market.rail, push(challenge, spent))


@pytest.mark.case("P5")
@pytest.mark.parametrize(
    "changes", [{"body": b"another picture"}, {"operation": "blur"}, {"amount": 60_000}], ids=["body", "route", "price"]
)
async def test_a_payment_that_moved_for_one_thing_buys_no_other(market: Market, changes: dict[str, Any]) -> None:
    """And is no reason to ask for money again: refused as spent."""
    with pytest.raises(PaymentSpentError):
        await accept(market.rail, await market.buy("push"), replace(CHARGE, **changes))


@pytest.mark.case("P8")
async def test_a_hash_for_a_request_that_offered_to_pay_the_fee_is_refused(market: Market) -> None:
    """We never make that offer, so even one with our own signature is none of this charge's."""
    ours = read_challenge(await ask(market.rail))
    details = ours.request["methodDetails"] | {"feePayer": True}
    sponsored = mpp.Challenge.create(
        secret_key=SECRET,
        realm=ours.realm,
        method=ours.method,
        intent=ours.intent,
        request=ours.request | {"methodDetails": details},
        expires=ours.expires,
        digest=ours.digest,
        meta=ours.opaque,
    )
    _, transfer = await market.transfer(memo=memo_for(sponsored))
    spent = market.send(transfer.sign(market.chain.funded_payer().key))
    with pytest.raises(PaymentSpentError) as refused:
        await accept(market.rail, push(sponsored, spent))
    assert refused.value.reason == "invalid_challenge"


async def test_a_hash_nobody_knows_is_a_retry_and_no_refusal(market: Market) -> None:
    challenge = read_challenge(await ask(market.rail))
    with pytest.raises(RailUnavailableError) as refused:
        await accept(market.rail, push(challenge, "0x" + "ab" * 32))
    assert refused.value.reason == "transaction_not_found"


async def test_a_hash_that_is_mined_a_moment_later_is_waited_for(market: Market) -> None:
    challenge, transfer = await market.transfer()
    payer = market.chain.funded_payer()
    async with open_rail(market.chain, receipt_wait_s=20.0) as patient:
        with market.chain.no_mining():
            spent = market.chain.call("eth_sendRawTransaction", transfer.sign(payer.key))
            waiting = asyncio.create_task(accept(patient, push(challenge, spent)))
            await asyncio.sleep(0.3)
            assert not waiting.done()
        assert (await waiting).facts.payer == payer.address.lower()


async def test_what_was_paid_in_time_stays_redeemable_when_the_challenge_has_expired(market: Market) -> None:
    async with open_rail(market.chain, challenge_life_s=1, redeem_s=3) as hasty:
        challenge = read_challenge(await ask(hasty))
        transfer = TempoTransfer(market.chain.recipient, memo_for(challenge))
        credential = push(challenge, market.send(transfer.sign(market.chain.funded_payer().key)))
        await asyncio.sleep(1.1)
        payment = await accept(hasty, credential)
        assert isinstance(await hasty.settle(payment, CHARGE), Settlement)
        await asyncio.sleep(3)
        with pytest.raises(PaymentSpentError) as refused:
            await accept(hasty, credential)
    assert refused.value.reason == "payment_expired"

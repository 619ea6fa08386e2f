"""Replies that never come. Whatever the node does, a payer is charged once, and nobody is told that nothing moved."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from adapter.payments.errors import OutcomeUnknownError, PaymentRequiredError, RailUnavailableError
from adapter.payments.mpp import MppRail
from adapter.payments.payment import Payment, Settlement, Verdict
from tests.integration.adapter.payments.mpp.market import CHARGE, PRICE, Market, accept, open_rail, read
from tests.support.faulty_rpc import FaultyRpc
from tests.support.processes import eventually
from tests.support.tempo import pull, push

SEND = "eth_sendRawTransactionSync"
RECEIPT = "eth_getTransactionReceipt"


@dataclass(frozen=True)
class Doubtful:
    """A rail whose node can be made to fail."""

    rail: MppRail
    node: FaultyRpc


@pytest_asyncio.fixture
async def doubtful(market: Market) -> AsyncIterator[Doubtful]:
    with market.chain.faulty() as node:
        async with open_rail(market.chain, rpc_url=node.rpc_url, settle_s=2.0) as rail:
            yield Doubtful(rail, node)


async def ready(market: Market, doubtful: Doubtful) -> Payment:
    return await accept(doubtful.rail, await market.buy())


async def settles_once(market: Market, doubtful: Doubtful, payment: Payment, before: int) -> None:
    """Once the node is well: found on the chain, settled again without a charge."""
    doubtful.node.clear()
    settlement = await doubtful.rail.settle(payment, CHARGE)
    found = await doubtful.rail.look_up(payment.facts)
    assert isinstance(found, Settlement)
    assert found.transaction == settlement.transaction
    assert market.earned() == before + PRICE


@pytest.mark.case("P9")
@pytest.mark.parametrize("fault", [{"drop_after": True}, {"after": "already known"}, {"after": "oops"}], ids=str)
async def test_a_reply_lost_after_the_broadcast_is_read_from_the_chain(
    market: Market, doubtful: Doubtful, fault: dict[str, object]
) -> None:
    payment, before = await ready(market, doubtful), market.earned()
    doubtful.node.set(SEND, **fault)
    settlement = await doubtful.rail.settle(payment, CHARGE)
    assert settlement.transaction == payment.facts.evidence["transaction"]
    await settles_once(market, doubtful, payment, before)


@pytest.mark.case("P9")
async def test_a_node_that_falls_silent_after_the_broadcast_leaves_the_outcome_open(
    market: Market, doubtful: Doubtful
) -> None:
    payment, before = await ready(market, doubtful), market.earned()
    doubtful.node.set(SEND, drop_after=True)
    doubtful.node.set(RECEIPT, drop_before=True)
    with pytest.raises(OutcomeUnknownError):
        await doubtful.rail.settle(payment, CHARGE)
    assert market.earned() == before + PRICE
    with pytest.raises(RailUnavailableError):
        await doubtful.rail.look_up(payment.facts)
    await settles_once(market, doubtful, payment, before)


@pytest.mark.case("P9")
async def test_a_node_that_falls_silent_before_the_broadcast_leaves_the_outcome_open(
    market: Market, doubtful: Doubtful
) -> None:
    payment, before = await ready(market, doubtful), market.earned()
    doubtful.node.set(SEND, drop_before=True)
    with pytest.raises(OutcomeUnknownError):
        await doubtful.rail.settle(payment, CHARGE)
    assert market.earned() == before
    assert await doubtful.rail.look_up(payment.facts) is Verdict.OPEN
    await settles_once(market, doubtful, payment, before)


async def test_an_attempt_does_not_stand_in_the_way_of_the_next(market: Market, doubtful: Doubtful) -> None:
    """The SDK holds a hash as used while it waits; the ledger alone decides who may try."""
    payment, before = await ready(market, doubtful), market.earned()
    doubtful.node.set(SEND, delay_s=2, times=1)
    doubtful.node.set(RECEIPT, drop_before=True)
    async with open_rail(market.chain, rpc_url=doubtful.node.rpc_url, settle_s=60.0) as patient:
        first = asyncio.create_task(patient.settle(payment, CHARGE))
        await eventually(lambda: market.earned() == before + PRICE, "the first attempt has been mined")
        second = await patient.settle(payment, CHARGE)
        assert (await first).transaction == second.transaction
    assert market.earned() == before + PRICE


@pytest.mark.parametrize("words", ["internal error", "rate limit exceeded"])
async def test_an_error_that_says_nothing_of_the_transaction_is_no_refusal(
    market: Market, doubtful: Doubtful, words: str
) -> None:
    payment, before = await ready(market, doubtful), market.earned()
    doubtful.node.set(SEND, before=words)
    with pytest.raises(OutcomeUnknownError):
        await doubtful.rail.settle(payment, CHARGE)
    await settles_once(market, doubtful, payment, before)


async def test_a_node_that_takes_the_transaction_and_drops_it_leaves_the_outcome_open(
    market: Market, doubtful: Doubtful
) -> None:
    """anvil answers with a hash and never mines what lives longer than 30 s: a pool's silence, for real."""
    challenge, transfer = await market.transfer(life_s=60)
    payment = await accept(doubtful.rail, pull(challenge, transfer.sign(market.chain.funded_payer().key)))
    with pytest.raises(OutcomeUnknownError):
        await doubtful.rail.settle(payment, CHARGE)
    assert await doubtful.rail.look_up(payment.facts) is Verdict.OPEN


async def test_what_was_never_sent_is_void_when_the_chains_clock_says_so(market: Market) -> None:
    challenge, transfer = await market.transfer(life_s=-11)
    payment = await read(market.rail, pull(challenge, transfer.sign(market.chain.funded_payer().key)))
    market.chain.mine()
    assert await market.rail.look_up(payment.facts) is Verdict.VOID
    with pytest.raises(PaymentRequiredError):
        await market.rail.settle(payment, CHARGE)


async def test_what_has_just_expired_may_still_turn_up(market: Market) -> None:
    challenge, transfer = await market.transfer(life_s=-1)
    payment = await read(market.rail, pull(challenge, transfer.sign(market.chain.funded_payer().key)))
    market.chain.mine()
    assert await market.rail.look_up(payment.facts) is Verdict.OPEN


@pytest.mark.parametrize("mode", ["pull", "push"])
async def test_a_node_that_is_down_before_the_work_is_a_retry(market: Market, doubtful: Doubtful, mode: str) -> None:
    challenge, transfer = await market.transfer()
    signed = transfer.sign(market.chain.funded_payer().key)
    credential = pull(challenge, signed) if mode == "pull" else push(challenge, market.send(signed))
    doubtful.node.set("*", drop_before=True)
    with pytest.raises(RailUnavailableError):
        await accept(doubtful.rail, credential)
    doubtful.node.clear()
    await accept(doubtful.rail, credential)


async def test_a_pushed_payment_whose_receipt_cannot_be_read_again_stays_open(
    market: Market, doubtful: Doubtful
) -> None:
    payment = await accept(doubtful.rail, await market.buy("push"))
    doubtful.node.set(RECEIPT, drop_before=True)
    with pytest.raises(OutcomeUnknownError):
        await doubtful.rail.settle(payment, CHARGE)


async def test_a_node_of_another_network_stops_the_start_and_takes_no_payment(market: Market) -> None:
    async with open_rail(market.chain, network="tempo") as rail:
        with pytest.raises(ValueError, match="another chain than tempo"):
            await rail.start()


async def test_a_node_that_is_down_does_not_stop_the_start(market: Market, doubtful: Doubtful) -> None:
    doubtful.node.set("*", drop_before=True)
    await doubtful.rail.start()
    doubtful.node.clear()
    await ready(market, doubtful)


async def test_nothing_of_a_credential_is_logged_shown_or_raised(
    market: Market, doubtful: Doubtful, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    challenge, transfer = await market.transfer()
    signed = transfer.sign(market.chain.funded_payer().key)
    payment = await accept(doubtful.rail, pull(challenge, signed))
    said = [repr(payment), str(payment.facts.evidence)]
    for faults in (
        {SEND: {"before": f"bad transaction {signed}"}},
        {"*": {"before": signed}},
        {"*": {"drop_before": True}},
    ):
        for method, fault in faults.items():
            doubtful.node.set(method, **fault)
        with pytest.raises(OutcomeUnknownError) as unknown:
            await doubtful.rail.settle(payment, CHARGE)
        said.append(repr(unknown.value) + unknown.value.message)
        assert unknown.value.__cause__ is None
        doubtful.node.clear()
    said += [record.getMessage() for record in caplog.records if record.name.startswith("adapter")]
    signature = signed[-130:]
    assert not any(signature in text or signed[2:40] in text for text in said)

"""What an honest payer gets: one settlement, over either version of the protocol."""

import asyncio

import pytest
from x402.http.utils import decode_payment_response_header

from adapter.payments.payment import Settlement
from adapter.payments.x402.rail import X402Rail
from tests.integration.adapter.payments.x402.conftest import OpenRail
from tests.support.chains import Token
from tests.support.devnet import DevChain
from tests.support.token_calls import await_pending, block_time
from tests.support.x402_payer import CHARGE, PRICE, pay, present, sign, verify


@pytest.mark.parametrize(
    ("version", "network", "header"),
    [(1, "base-sepolia", "X-PAYMENT-RESPONSE"), (2, "eip155:84532", "PAYMENT-RESPONSE")],
)
async def test_the_official_client_pays_once(
    rail: X402Rail, chain: DevChain, version: int, network: str, header: str
) -> None:
    payer = chain.funded_payer()
    headers = await pay(await rail.challenge(CHARGE), payer.key, version=version)
    payment = await verify(rail, headers)
    settlement = await rail.settle(payment, CHARGE)
    [transfer] = await Token(chain.rpc_url, chain.token).transfers(payer.address, chain.recipient)
    assert (transfer.transaction, transfer.amount) == (settlement.transaction, PRICE)
    receipt = decode_payment_response_header(rail.receipt(payment, settlement)[header])
    assert (receipt.success, receipt.network, receipt.transaction) == (True, network, settlement.transaction)
    assert receipt.payer == payer.address


async def test_verifying_moves_nothing(rail: X402Rail, chain: DevChain) -> None:
    payer = chain.funded_payer()
    await verify(rail, await pay(await rail.challenge(CHARGE), payer.key))
    assert chain.balance(payer.address) == 10_000_000


async def test_settling_again_takes_nothing_and_tells_the_same(rail: X402Rail, chain: DevChain) -> None:
    payer = chain.funded_payer()
    payment = await verify(rail, present(sign(payer.key, chain.recipient)))
    first = await rail.settle(payment, CHARGE)
    second = await rail.settle(payment, CHARGE)
    assert second.transaction == first.transaction
    assert chain.balance(payer.address) == 10_000_000 - PRICE


async def test_a_settlement_is_found_again_from_its_facts_alone(rail: X402Rail, chain: DevChain) -> None:
    payment = await verify(rail, present(sign(chain.funded_payer().key, chain.recipient)))
    settlement = await rail.settle(payment, CHARGE)
    outcome = await rail.look_up(payment.facts)
    assert outcome == Settlement(settlement.transaction, block_time(chain, settlement.transaction))


async def test_one_key_settles_twenty_payments_at_once(rail: X402Rail, chain: DevChain) -> None:
    payers = [chain.funded_payer() for _ in range(20)]
    payments = [await verify(rail, present(sign(payer.key, chain.recipient))) for payer in payers]
    settlements = await asyncio.gather(*(rail.settle(payment, CHARGE) for payment in payments))
    assert len({settlement.transaction for settlement in settlements}) == 20
    assert {chain.balance(payer.address) for payer in payers} == {10_000_000 - PRICE}


async def test_two_processes_settle_with_one_key(chain: DevChain, open_rail: OpenRail) -> None:
    """Both ask the node for the next nonce, and now and then get the same."""
    key = chain.hot_key().key
    async with open_rail(key=key) as one, open_rail(key=key) as other:
        rails = [one, other] * 5
        payments = [await verify(rail, present(sign(chain.funded_payer().key, chain.recipient))) for rail in rails]
        settlements = await asyncio.gather(
            *(rail.settle(payment, CHARGE) for rail, payment in zip(rails, payments, strict=True))
        )
    assert len({settlement.transaction for settlement in settlements}) == 10


async def test_the_event_loop_goes_on_while_a_settlement_waits(rail: X402Rail, chain: DevChain) -> None:
    """The block that the settlement waits for is made by this very loop."""
    payment = await verify(rail, present(sign(chain.funded_payer().key, chain.recipient)))
    with chain.no_mining():
        settling = asyncio.create_task(rail.settle(payment, CHARGE))
        await await_pending(chain, 1)
        assert not settling.done()
        chain.mine()
        settlement = await settling
    assert await rail.look_up(payment.facts) == Settlement(
        settlement.transaction, block_time(chain, settlement.transaction)
    )

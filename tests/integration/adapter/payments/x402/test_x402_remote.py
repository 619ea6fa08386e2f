"""Somebody else's facilitator: asked, and not believed."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapter.payments.errors import OutcomeUnknownError, PaymentRequiredError, PaymentSpentError, RailUnavailableError
from adapter.payments.payment import Verdict
from adapter.payments.x402.rail import X402Rail
from tests.integration.adapter.payments.x402.conftest import OpenRail
from tests.support.devnet import DevChain, new_wallet
from tests.support.token_calls import transfer
from tests.support.x402_facilitator import FacilitatorServer
from tests.support.x402_payer import CHARGE, PRICE, SEPOLIA, pay, present, sign, verify

_FULL = 10_000_000


@pytest_asyncio.fixture
async def server(chain: DevChain) -> AsyncIterator[FacilitatorServer]:
    async with FacilitatorServer(chain.hot_key().key, chain.rpc_url, SEPOLIA.caip2).serving() as serving:
        yield serving


@pytest_asyncio.fixture
async def remote(server: FacilitatorServer, open_rail: OpenRail) -> AsyncIterator[X402Rail]:
    async with open_rail(facilitator_url=server.url, settle_s=5) as rail:
        yield rail


@pytest.mark.parametrize("version", [1, 2])
async def test_it_verifies_and_settles(remote: X402Rail, chain: DevChain, version: int) -> None:
    payer = chain.funded_payer()
    payment = await verify(remote, await pay(await remote.challenge(CHARGE), payer.key, version=version))
    settlement = await remote.settle(payment, CHARGE)
    assert await remote.look_up(payment.facts) == settlement
    assert await remote.settle(payment, CHARGE) == settlement
    assert chain.balance(payer.address) == _FULL - PRICE


async def test_its_refusals_are_the_payers(remote: X402Rail, chain: DevChain) -> None:
    with pytest.raises(PaymentRequiredError):
        await verify(remote, present(sign(new_wallet().key, chain.recipient)))
    spent = present(sign(chain.funded_payer().key, chain.recipient))
    await remote.settle(await verify(remote, spent), CHARGE)
    with pytest.raises(PaymentSpentError):
        await verify(remote, spent)


@pytest.mark.parametrize("fault", ["hang_up", "error", "garbage"])
async def test_without_an_answer_nothing_is_held_against_the_payer(
    remote: X402Rail, server: FacilitatorServer, chain: DevChain, fault: str
) -> None:
    server.verify = fault
    with pytest.raises(RailUnavailableError):
        await verify(remote, present(sign(chain.funded_payer().key, chain.recipient)))


async def test_what_it_cannot_verify_our_own_rules_refuse(
    remote: X402Rail, server: FacilitatorServer, chain: DevChain
) -> None:
    server.verify = "yes"
    with pytest.raises(PaymentRequiredError):
        await verify(remote, present(sign(chain.funded_payer().key, chain.recipient, amount=1)))


@pytest.mark.case("P9")
@pytest.mark.parametrize("fault", ["late_hang_up", "late_error", "late_garbage", "late_hang", "deny"])
async def test_a_reply_lost_after_the_settlement(
    server: FacilitatorServer, open_rail: OpenRail, chain: DevChain, fault: str
) -> None:
    payer = chain.funded_payer()
    async with open_rail(facilitator_url=server.url, settle_s=2) as remote:
        payment = await verify(remote, present(sign(payer.key, chain.recipient)))
        server.settle = fault
        settlement = await remote.settle(payment, CHARGE)
        assert await remote.look_up(payment.facts) == settlement
    assert chain.balance(payer.address) == _FULL - PRICE


@pytest.mark.case("P9")
@pytest.mark.parametrize("fault", ["hang_up", "error", "garbage", "hang", "lie", "poor"])
async def test_a_settlement_that_did_not_happen_is_unknown(
    server: FacilitatorServer, open_rail: OpenRail, chain: DevChain, fault: str
) -> None:
    """It still holds a good authorisation: nobody is asked to pay again before that has expired."""
    payer = chain.funded_payer()
    async with open_rail(facilitator_url=server.url, settle_s=1) as remote:
        payment = await verify(remote, present(sign(payer.key, chain.recipient)))
        server.settle = fault
        with pytest.raises(OutcomeUnknownError):
            await remote.settle(payment, CHARGE)
        assert await remote.look_up(payment.facts) is Verdict.OPEN
        server.settle = ""
        await remote.settle(payment, CHARGE)
    assert chain.balance(payer.address) == _FULL - PRICE


async def test_a_payer_who_visibly_has_no_money_left_is_refused(
    remote: X402Rail, server: FacilitatorServer, chain: DevChain
) -> None:
    payer = chain.funded_payer(PRICE)
    payment = await verify(remote, present(sign(payer.key, chain.recipient)))
    transfer(chain, payer, new_wallet().address, PRICE)
    server.settle = "poor"
    with pytest.raises(PaymentRequiredError):
        await remote.settle(payment, CHARGE)


async def test_a_facilitator_of_another_network_is_refused_at_the_start(open_rail: OpenRail, chain: DevChain) -> None:
    async with FacilitatorServer(chain.hot_key().key, chain.rpc_url, "eip155:1").serving() as other:
        with pytest.raises(ValueError, match="does not support"):
            async with open_rail(facilitator_url=other.url):
                pass


async def test_a_facilitator_that_is_down_does_not_stop_the_start(open_rail: OpenRail, chain: DevChain) -> None:
    async with open_rail(facilitator_url="http://127.0.0.1:9") as rail:
        with pytest.raises(RailUnavailableError):
            await verify(rail, present(sign(chain.funded_payer().key, chain.recipient)))

"""Payments that are no payments. Each is refused before any work, and moves nothing."""

import dataclasses
import time
from typing import Any

import pytest
from eth_abi.abi import encode

from adapter.payments.errors import PaymentRequiredError, PaymentSpentError, RailUnavailableError
from adapter.payments.x402.rail import X402Rail
from tests.integration.adapter.payments.x402.conftest import OpenRail
from tests.support.devnet import DevChain, RunningDevnet, new_wallet
from tests.support.x402_payer import CHARGE, pay, present, sign, verify

_ELSEWHERE = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
_SIGNATURE = "invalid_exact_evm_payload_signature"


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("signed", "reason"),
    [
        ({"amount": 49_999}, "amount_mismatch"),
        ({"amount": 60_000}, "amount_mismatch"),
        ({"name": "USD Coin"}, _SIGNATURE),
        ({"life_s": -1}, "payment_expires_too_soon"),
        pytest.param({"life_s": 5}, "payment_expires_too_soon", marks=pytest.mark.case("P13")),
        ({"valid_after": int(time.time()) + 3600}, "payment_not_yet_valid"),
        ({"life_s": 10**9}, "payment_lives_too_long"),
    ],
)
async def test_an_authorization_that_does_not_fit(
    rail: X402Rail, chain: DevChain, version: int, signed: dict[str, Any], reason: str
) -> None:
    payer = chain.funded_payer()
    headers = present(sign(payer.key, chain.recipient, **signed), version=version)
    with pytest.raises(PaymentRequiredError) as refused:
        await verify(rail, headers)
    assert refused.value.reason == reason
    assert chain.balance(payer.address) == 10_000_000


@pytest.mark.parametrize(
    ("accepted", "reason"),
    [
        ({"amount": "1"}, "amount_mismatch"),
        ({"payTo": _ELSEWHERE}, "recipient_mismatch"),
        ({"asset": _ELSEWHERE}, "asset_mismatch"),
        ({"network": "eip155:8453"}, "network_mismatch"),
    ],
)
@pytest.mark.case("P5")
async def test_another_offer_accepted(rail: X402Rail, chain: DevChain, accepted: dict[str, Any], reason: str) -> None:
    payload = sign(chain.funded_payer().key, chain.recipient)
    with pytest.raises(PaymentRequiredError) as refused:
        await verify(rail, present(payload, **accepted))
    assert refused.value.reason == reason


@pytest.mark.case("P5")
async def test_a_payment_made_for_another_route_or_price(rail: X402Rail, chain: DevChain) -> None:
    other = dataclasses.replace(CHARGE, resource="https://x402.test/v1/cheaper")
    headers = await pay(await rail.challenge(other), chain.funded_payer().key)
    with pytest.raises(PaymentRequiredError) as refused:
        await verify(rail, headers)
    assert refused.value.reason == "resource_mismatch"
    cheap = dataclasses.replace(CHARGE, amount=1)
    headers = await pay(await rail.challenge(cheap), chain.funded_payer().key, version=1)
    with pytest.raises(PaymentRequiredError) as refused:
        await verify(rail, headers)
    assert refused.value.reason == "amount_mismatch"


async def test_a_payment_to_somebody_else(rail: X402Rail, chain: DevChain) -> None:
    with pytest.raises(PaymentRequiredError) as refused:
        await verify(rail, present(sign(chain.funded_payer().key, _ELSEWHERE), payTo=chain.recipient))
    assert refused.value.reason == "recipient_mismatch"


async def test_somebody_elses_money(rail: X402Rail, chain: DevChain) -> None:
    rich = chain.funded_payer()
    with pytest.raises(PaymentRequiredError) as refused:
        await verify(rail, present(sign(new_wallet().key, chain.recipient, payer=rich.address)))
    assert refused.value.reason == _SIGNATURE


async def test_a_payer_without_money(rail: X402Rail, chain: DevChain) -> None:
    with pytest.raises(PaymentRequiredError) as refused:
        await verify(rail, present(sign(new_wallet().key, chain.recipient)))
    assert refused.value.reason == "invalid_exact_evm_insufficient_balance"


def _undeployed_wallet(factory: str) -> str:
    """An EIP-6492 signature: it asks the facilitator to call `factory` with whatever data it likes."""
    wrapped = encode(["address", "bytes", "bytes"], [factory, b"\xde\xad\xbe\xef", b"\x11" * 65])
    return "0x" + wrapped.hex() + "6492" * 16


@pytest.mark.parametrize(
    "signature",
    ["0x1234", "0x" + "ff" * 65, "0x" + "00" * 65, _undeployed_wallet(_ELSEWHERE)],
    ids=lambda text: text[:8],
)
async def test_a_signature_that_is_none(rail: X402Rail, chain: DevChain, signature: str) -> None:
    payload = sign(chain.funded_payer().key, chain.recipient) | {"signature": signature}
    with pytest.raises(PaymentRequiredError):
        await verify(rail, present(payload))


@pytest.mark.case("P2")
async def test_an_authorization_that_was_used_is_refused_without_a_new_challenge(
    rail: X402Rail, chain: DevChain
) -> None:
    headers = present(sign(chain.funded_payer().key, chain.recipient))
    await rail.settle(await verify(rail, headers), CHARGE)
    with pytest.raises(PaymentSpentError):
        await verify(rail, headers)


@pytest.mark.parametrize("method", ["*", "eth_call", "eth_getCode", "eth_getBlockByNumber", "eth_chainId"])
@pytest.mark.parametrize(
    "fault", [{"drop_before": True}, {"before": "over your rate limit"}], ids=["silent", "refusing"]
)
@pytest.mark.case("P9")
async def test_a_node_that_fails_never_makes_a_good_payment_bad(
    chain: DevChain, open_rail: OpenRail, method: str, fault: dict[str, Any]
) -> None:
    headers = present(sign(chain.funded_payer().key, chain.recipient))
    with chain.faulty() as proxy:
        proxy.set(method, **fault)
        async with open_rail(rpc_url=proxy.rpc_url) as rail:
            with pytest.raises(RailUnavailableError):
                await verify(rail, headers)
            proxy.clear()
            await verify(rail, headers)


async def test_another_chains_node_is_never_asked_about_money(
    chain: DevChain, devnet: RunningDevnet, open_rail: OpenRail
) -> None:
    with pytest.raises(ValueError, match="serves chain 42431"):
        async with open_rail(rpc_url=devnet.tempo.rpc_url):
            pass

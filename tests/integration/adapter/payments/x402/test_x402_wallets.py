"""Wallets that are contracts (EIP-1271), and that no credential is ever written anywhere."""

import logging

import pytest

from adapter.payments.errors import PaymentRequiredError
from adapter.payments.x402.rail import X402Rail
from tests.integration.adapter.payments.x402.conftest import OpenRail
from tests.support.devnet import DevChain, Wallet, new_wallet
from tests.support.x402_payer import CHARGE, PRICE, present, sign, verify

# Contracts that answer every call, and so isValidSignature, with its magic value (yes), or with zeros (no).
_YES = "0x7f1626ba7e" + "00" * 28 + "60005260206000f3"
_NO = "0x60206000f3"


def contract_wallet(chain: DevChain, code: str) -> Wallet:
    wallet = chain.funded_payer()
    chain.call("anvil_setCode", wallet.address, code)
    return wallet


async def test_a_contract_wallet_pays(rail: X402Rail, chain: DevChain) -> None:
    wallet = contract_wallet(chain, _YES)
    payload = sign(new_wallet().key, chain.recipient, payer=wallet.address)
    payload["signature"] += "00" * 32  # Any length: only the wallet understands it.
    await rail.settle(await verify(rail, present(payload)), CHARGE)
    assert chain.balance(wallet.address) == 10_000_000 - PRICE


async def test_a_contract_wallet_that_says_no(rail: X402Rail, chain: DevChain) -> None:
    wallet = contract_wallet(chain, _NO)
    with pytest.raises(PaymentRequiredError):
        await verify(rail, present(sign(wallet.key, chain.recipient)))


async def test_no_credential_or_key_is_ever_logged(
    chain: DevChain, open_rail: OpenRail, caplog: pytest.LogCaptureFixture
) -> None:
    """Good payments, bad ones, and with a node that fails: at every level that a production log has."""
    key, signatures, seen = chain.hot_key().key, [], []
    with caplog.at_level(logging.INFO), chain.faulty() as proxy:
        async with open_rail(rpc_url=proxy.rpc_url + "/canary-api-key", key=key, settle_s=1) as rail:
            for method in ("none", "eth_call", "eth_sendRawTransaction", "eth_getTransactionReceipt"):
                payload = sign(chain.funded_payer().key, chain.recipient)
                signatures.append(payload["signature"][2:])
                proxy.clear()
                payment = await verify(rail, present(payload))
                proxy.set(method, before="internal error")
                try:
                    await rail.settle(payment, CHARGE)
                except Exception as error:  # noqa: BLE001 - whatever it is, it must not tell.
                    seen.append(f"{error!r} {error.__cause__!r}")
            bad = sign(new_wallet().key, chain.recipient)
            signatures.append(bad["signature"][2:])
            with pytest.raises(PaymentRequiredError) as refused:
                await verify(rail, present(bad))
            seen.append(repr(refused.value))
    seen.append(caplog.text)
    assert len(seen) == 5, "three settlements and one payment must have failed"
    for secret in (*signatures, key[2:], "canary-api-key"):
        assert secret not in "".join(seen)

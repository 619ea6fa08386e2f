"""What is refused at the start, without a word of what is secret."""

from typing import Any

import pytest

from adapter.payments.x402.config import X402Config
from adapter.payments.x402.networks import NETWORKS

_GOOD: dict[str, Any] = {
    "network": NETWORKS["base"],
    "pay_to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "rpc_url": "https://node.test/v2/canary-api-key",
    "key": "ab" * 32,
}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"pay_to": ""}, "recipient"),
        ({"pay_to": "0x7099"}, "recipient"),
        ({"pay_to": "clearcanvas.eth"}, "recipient"),
        ({"rpc_url": ""}, "JSON-RPC"),
        ({"rpc_url": "node.test"}, "JSON-RPC"),
        ({"key": ""}, "either a key"),
        ({"facilitator_url": "https://facilitator.test"}, "not both"),
        ({"key": "canary-secret"}, "64 hex digits"),
        ({"key": "", "facilitator_url": "facilitator.test"}, "facilitator"),
    ],
)
def test_a_setting_that_is_wrong_is_named(change: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word) as refused:
        X402Config(**(_GOOD | change))
    assert "canary" not in str(refused.value)


def test_secrets_are_not_shown() -> None:
    shown = repr(X402Config(**_GOOD))
    assert "abab" not in shown
    assert "canary" not in shown


def test_the_networks_are_base_and_its_testnet() -> None:
    assert {name: (network.caip2, network.token_name) for name, network in NETWORKS.items()} == {
        "base": ("eip155:8453", "USD Coin"),
        "base-sepolia": ("eip155:84532", "USDC"),
    }

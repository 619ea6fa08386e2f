"""Settings that cannot work are refused at once, by name and without their values."""

from typing import Any

import pytest

from adapter.payments.mpp import MppConfig

GOOD = {"network": "tempo", "recipient": "0x" + "ab" * 20, "rpc_url": "https://node/key", "secret": "s" * 32}


def test_good_settings_hide_their_secrets() -> None:
    config = MppConfig(**GOOD)  # type: ignore[arg-type]
    assert (config.tempo.chain_id, config.tempo.caip2) == (4217, "eip155:4217")
    assert "ssss" not in repr(config)
    assert "node/key" not in repr(config)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("network", "base"),
        ("recipient", "0x12"),
        ("recipient", "ab" * 20),
        ("rpc_url", "node/key"),
        ("secret", "short and secret"),
        ("realm", ""),
        ("realm", "résumé"),
        ("realm", "two\nlines"),
        ("challenge_life_s", 0),
        ("redeem_s", -1),
        ("settle_s", 0),
        ("receipt_wait_s", 0),
    ],
)
def test_a_setting_that_cannot_work_is_named(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name) as refused:
        MppConfig(**GOOD | {name: value})
    assert not value or str(value) not in str(refused.value)

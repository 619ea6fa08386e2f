"""Settings of the payments: whole or refused, and never shown."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapter.sale.settings import PaymentSettings, load_payment_settings

ADDRESS = "0x" + "ab" * 20
KEY = "0x" + "c0ffee00" * 8
SECRET = "longer-than-that" * 3
X402: dict[str, Any] = {"x402_pay_to": ADDRESS, "x402_rpc_url": "http://127.0.0.1:1/v2/rpc-key", "x402_key": KEY}
MPP: dict[str, Any] = {"mpp_recipient": ADDRESS, "mpp_rpc_url": "http://127.0.0.1:2/v2/rpc-key", "mpp_secret": SECRET}


def settings(**values: Any) -> PaymentSettings:
    return PaymentSettings.model_validate(values)


def test_without_a_recipient_nothing_is_offered_and_nothing_is_needed() -> None:
    assert settings().rails == ()


def test_a_rail_is_offered_when_its_recipient_is_set() -> None:
    assert settings(**X402).rails == ("x402",)
    assert settings(**MPP).rails == ("mpp",)
    assert settings(**X402, **MPP).rails == ("x402", "mpp")


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (X402 | {"x402_rpc_url": None}, "X402_RPC_URL"),
        (X402 | {"x402_key": None}, "X402_KEY"),
        (X402 | {"x402_facilitator_url": "https://facilitator.example"}, "X402_KEY"),
        (X402 | {"x402_key": "0x1234"}, "X402_KEY"),
        (X402 | {"x402_key_file": "/nowhere"}, "X402_KEY"),
        (X402 | {"x402_key": None, "x402_key_file": "/nowhere"}, "X402_KEY_FILE"),
        (X402 | {"x402_pay_to": "0x12"}, "x402_pay_to"),
        (X402 | {"x402_network": "mainnet"}, "x402_network"),
        (MPP | {"mpp_rpc_url": None}, "MPP_RPC_URL"),
        (MPP | {"mpp_secret": None}, "MPP_SECRET"),
        (MPP | {"mpp_secret": "c0ffee00" * 3}, "MPP_SECRET"),
        (MPP | {"hosts": {"x402.example.com": ["x402"]}}, "HOSTS"),
        (MPP | {"hosts": {"MPP.example.com": ["mpp"]}}, "HOSTS"),
        (MPP | {"hosts": {"mpp.example.com:443": ["mpp"]}}, "HOSTS"),
        (MPP | {"hosts": {"mpp.example.com": ["paypal"]}}, "hosts"),
        ({"prices": {"remove-background": "0"}}, "prices"),
        ({"prices": {"remove-background": "0.0000001"}}, "prices"),
        ({"prices": {"remove-background": "-1"}}, "prices"),
        ({"prices": {"matting": "0.05"}}, "prices"),
        ({"public_url": "https://example.com/path"}, "public_url"),
    ],
)
def test_what_cannot_work_is_refused_by_its_name_and_not_by_its_value(values: dict[str, Any], name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**values)
    text = str(caught.value)
    assert name in text
    assert "c0ffee00" not in text
    assert "rpc-key" not in text


@pytest.mark.case("P18")
@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"x402_validity_s": 120, "work_timeout_s": 100}, "X402_VALIDITY_S"),
        ({"x402_validity_s": 3600, "retention_h": 1}, "RETENTION_H"),
        ({"x402_validity_s": 119}, "x402_validity_s"),
    ],
)
def test_a_claim_outlives_its_payment_and_a_payment_its_work(values: dict[str, Any], name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        settings(**values)


@pytest.mark.case("P18")
def test_the_default_times_fit() -> None:
    assert settings(**X402, **MPP).x402_validity_s >= 120


@pytest.mark.case("O1")
def test_secrets_are_masked_wherever_settings_are_shown() -> None:
    shown = repr(settings(**X402, **MPP, ledger="postgresql+psycopg://user:rpc-key@host/db"))
    assert "c0ffee00" not in shown
    assert "rpc-key" not in shown
    assert SECRET not in shown


def test_secrets_may_stand_in_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    (tmp_path / "secret").write_text(SECRET + "\n")
    read = settings(
        **(X402 | {"x402_key": None, "x402_key_file": tmp_path / "key"}),
        **(MPP | {"mpp_secret": None, "mpp_secret_file": tmp_path / "secret"}),
    )
    assert (read.read_x402_key(), read.read_mpp_secret()) == (KEY, SECRET)


def test_prices_are_exact_millionths() -> None:
    assert settings().amount("remove-background") == 50_000
    assert settings(prices={}).amount("remove-background") == 50_000
    assert settings(prices={"remove-background": "0.000001"}).amount("remove-background") == 1
    assert settings(prices={"remove-background": "0.29"}).amount("remove-background") == 290_000


def test_ledger_and_results_lie_in_the_data_folder_unless_told(tmp_path: Path) -> None:
    here = settings(data=tmp_path)
    assert here.ledger_url == f"sqlite:///{tmp_path}/ledger.sqlite"
    assert here.results_url == f"file://{tmp_path}/results"
    elsewhere = settings(ledger="postgresql+psycopg://host/db", results="s3://bucket/prefix")
    assert (elsewhere.ledger_url, elsewhere.results_url) == ("postgresql+psycopg://host/db", "s3://bucket/prefix")


@pytest.mark.parametrize(
    ("values", "realm"),
    [
        ({}, "clearcanvas"),
        ({"public_url": "https://mpp.example.com:8443"}, "mpp.example.com"),
        ({"mpp_realm": "a"}, "a"),
    ],
)
def test_the_realm_is_the_public_name(values: dict[str, str], realm: str) -> None:
    assert settings(**values).realm == realm


def test_the_environment_is_read_and_empty_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in MPP.items():
        monkeypatch.setenv(f"CLEARCANVAS_{name.upper()}", value)
    monkeypatch.setenv("CLEARCANVAS_X402_FACILITATOR_URL", "")
    monkeypatch.setenv("CLEARCANVAS_HOSTS", '{"mpp.example.com": ["mpp"]}')
    read = load_payment_settings()
    assert read.rails == ("mpp",)
    assert read.hosts == {"mpp.example.com": ("mpp",)}
    assert read.x402_facilitator_url is None


def test_every_setting_is_described() -> None:
    assert all(field.description for field in PaymentSettings.model_fields.values())

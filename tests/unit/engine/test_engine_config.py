"""The engine's settings: where Triton may listen."""

import pytest
from pydantic import ValidationError

from engine.config import EngineSettings


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [("127.0.0.1:8400", "127.0.0.1", 8400), ("[::1]:1", "::1", 1), ("localhost:65535", "localhost", 65535)],
)
def test_loopback_addresses_are_taken(address: str, host: str, port: int) -> None:
    settings = EngineSettings(triton=address)
    assert (settings.host, settings.port) == (host, port)


@pytest.mark.parametrize("address", ["0.0.0.0:8400", "[::]:8400", "192.168.1.2:8400", "triton.internal:8400"])
def test_other_addresses_need_the_explicit_setting(address: str) -> None:
    with pytest.raises(ValidationError, match="CLEARCANVAS_TRITON_ALLOW_REMOTE"):
        EngineSettings(triton=address)
    assert EngineSettings(triton=address, triton_allow_remote=True).port == 8400


@pytest.mark.parametrize("address", ["8400", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", ":8400"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="HOST:PORT"):
        EngineSettings(triton=address)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARCANVAS_TRITON", "127.0.0.2:1234")
    monkeypatch.setenv("CLEARCANVAS_TRITON_HANG_S", "3")
    settings = EngineSettings()
    assert (settings.triton, settings.triton_hang_s) == ("127.0.0.2:1234", 3)

"""Settings: from the environment, checked, and closed to the public unless meant."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from adapter.config import Settings, load_settings


@pytest.mark.parametrize(
    ("http", "host", "port"),
    [
        ("127.0.0.1:8402", "127.0.0.1", 8402),
        ("127.9.9.9:0", "127.9.9.9", 0),
        ("localhost:80", "localhost", 80),
        ("[::1]:8402", "::1", 8402),
    ],
)
def test_loopback_addresses_are_open(http: str, host: str, port: int) -> None:
    settings = Settings(http=http)
    assert (settings.host, settings.port) == (host, port)
    assert settings.images_are_open


@pytest.mark.parametrize("http", ["0.0.0.0:80", "[::]:80", "10.0.0.1:80", "localhost.example:80", "2130706433:80"])
def test_other_addresses_must_be_meant(http: str) -> None:
    assert not Settings(http=http).images_are_open
    assert Settings(http=http, open_access=True).images_are_open


@pytest.mark.parametrize("http", ["", "127.0.0.1", "127.0.0.1:", ":80", "::1:80", "127.0.0.1:http", "127.0.0.1:123456"])
def test_malformed_addresses_are_refused(http: str) -> None:
    with pytest.raises(ValidationError):
        Settings(http=http)


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("CLEARCANVAS_GRPC=127.0.0.1:1\nCLEARCANVAS_REQUEST_TIMEOUT_S=5\nCLEARCANVAS_MODEL=isnet\n")
    monkeypatch.setenv("CLEARCANVAS_ENV_FILE", str(file))
    monkeypatch.setenv("CLEARCANVAS_GRPC", "127.0.0.1:2")
    settings = load_settings()
    assert (settings.grpc, settings.request_timeout_s) == ("127.0.0.1:2", 5)


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize("name", ["request_timeout_s", "upload_budget_mib", "max_connections"])
def test_bounds_are_positive(name: str) -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        Settings.model_validate({name: 0})

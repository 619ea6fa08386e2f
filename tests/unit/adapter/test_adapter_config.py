"""Settings: from the environment, and checked."""

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
def test_loopback_addresses_are_known(http: str, host: str, port: int) -> None:
    settings = Settings(http=http)
    assert (settings.host, settings.port) == (host, port)
    assert settings.on_loopback


@pytest.mark.parametrize("http", ["0.0.0.0:80", "[::]:80", "10.0.0.1:80", "localhost.example:80", "2130706433:80"])
def test_other_addresses_may_be_reached_by_anybody(http: str) -> None:
    assert not Settings(http=http).on_loopback


def test_keys_are_kept_in_the_data_folder_unless_another_place_is_named() -> None:
    assert Settings(data=Path("/srv/data")).keys_url == "sqlite:////srv/data/keys.sqlite"
    url = "postgresql://user:hidden@host/keys"
    settings = Settings(keys=url)
    assert settings.keys_url == url
    assert "hidden" not in repr(settings)


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

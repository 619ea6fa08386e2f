"""The settings: documented, read from the environment and a file, out-of-range values refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from server.config import Settings, load_settings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CLEARCANVAS_{name.upper()}", raising=False)
    monkeypatch.delenv("CLEARCANVAS_ENV_FILE", raising=False)


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_defaults_are_loopback() -> None:
    settings = load_settings()
    assert (settings.grpc, settings.triton, settings.model) == ("127.0.0.1:8401", "127.0.0.1:8400", "isnet")


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_text("CLEARCANVAS_MODEL=from-file\nCLEARCANVAS_WORKERS=7\nCLEARCANVAS_HTTP=not-ours\n")
    monkeypatch.setenv("CLEARCANVAS_ENV_FILE", str(file))
    monkeypatch.setenv("CLEARCANVAS_MODEL", "from-environment")
    settings = load_settings()
    assert (settings.model, settings.workers) == ("from-environment", 7)


@pytest.mark.parametrize(
    ("name", "value"),
    [("WORKERS", "0"), ("GRPC", "localhost"), ("REQUIRE_DEVICE", "tpu"), ("TIMEOUT_S", "0"), ("DRAIN_S", "-1")],
)
def test_what_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"CLEARCANVAS_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        load_settings()


def test_jobs_and_their_files_are_in_the_data_folder_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARCANVAS_DATA", "/srv/clear canvas")
    settings = load_settings()
    assert settings.jobs_url == "sqlite:////srv/clear canvas/jobs.sqlite"
    assert settings.store_url == "file:///srv/clear%20canvas/jobs"
    monkeypatch.setenv("CLEARCANVAS_JOBS", "postgresql+psycopg://u:p@db/jobs")
    monkeypatch.setenv("CLEARCANVAS_STORE", "s3://bucket")
    settings = load_settings()
    assert (settings.jobs_url, settings.store_url) == ("postgresql+psycopg://u:p@db/jobs", "s3://bucket")


@pytest.mark.case("O1")
@pytest.mark.parametrize("name", ["CLEARCANVAS_JOBS", "CLEARCANVAS_STORE", "CLOUDINARY_URL"])
def test_addresses_with_passwords_are_never_shown(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "scheme://user:canary-5b1e@host/path")
    settings = load_settings()
    assert "canary-5b1e" not in f"{settings!r} {settings} {settings.model_dump()}"
    secrets = (settings.jobs, settings.store, settings.cloudinary_url)
    assert [found for found in secrets if found and "canary-5b1e" in found.get_secret_value()]

from pathlib import Path

import pytest

from cli.config import join_address, read_settings, split_address


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [("127.0.0.1:8402", "127.0.0.1", 8402), ("[::1]:0", "::1", 0), ("a.b:65535", "a.b", 65535)],
)
def test_an_address_is_split_and_joined(address: str, host: str, port: int) -> None:
    assert split_address(address) == (host, port)
    assert join_address(host, port) == address


@pytest.mark.parametrize("address", ["", "8402", ":8402", "host:", "host:x", "host:65536", "host:-1", "host:²"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        split_address(address)


def test_the_command_line_stands_above_the_environment_and_that_above_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "env").write_text("CLEARCANVAS_HTTP=file:1\nCLEARCANVAS_GRPC=file:2\nCLEARCANVAS_MODEL=file\n")
    monkeypatch.setenv("CLEARCANVAS_ENV_FILE", str(tmp_path / "env"))
    monkeypatch.setenv("CLEARCANVAS_GRPC", "environment:2")
    monkeypatch.setenv("CLEARCANVAS_HTTP", "environment:1")
    settings = read_settings(http="given:1", grpc=None)
    assert (settings.http, settings.grpc, settings.model) == ("given:1", "environment:2", "file")

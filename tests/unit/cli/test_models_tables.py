"""What tables and cards say of figures."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from cards.card import read_card
from cards.errors import CardError
from cards.target import Target
from cli.models.load import Level
from cli.models.reports import resolve, write_report
from cli.models.tables import milliseconds, of_cases, of_levels, of_trials, percentile
from cli.models.trial import Trial
from evaluation.samples import Sample
from evaluation.scores import Score
from tests.support.toy_model import write_toy_model


def score(mae: float) -> Score:
    return Score(mae, mae * 100, mae / 2, mae * 50, 1 - mae, 1 - mae, 1 - mae)


def trial(target: Target, **errors: float) -> Trial:
    made = Trial(target, device="cpu/mnn/f32")
    for name, mae in errors.items():
        made.take(Sample(name, Path(f"{name}.png"), Path(f"{name}-mask.png")), np.zeros((4, 4), np.uint8), score(mae))
        made.infer_s[name], made.call_s[name] = (0.05, 0.25), (0.3,)
    return made


def cells(table: Table) -> list[list[str]]:
    console = Console(width=250)
    with console.capture() as captured:
        console.print(table)
    lines = captured.get().splitlines()
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]


def test_a_row_tells_all_figures_of_a_model() -> None:
    (row,) = cells(of_trials([trial(Target("toy", 1), a=0.1, b=0.3)], "set"))

    assert row == [
        *("toy@1", "0.2000", "20.00", "0.1000", "10.00", "0.8000", "0.8000", "0.8000"),
        *("150 ms", "250 ms", "300 ms", "–", "cpu/mnn/f32"),
    ]


def test_the_worst_pictures_of_one_model_are_those_with_the_largest_error() -> None:
    assert cells(of_cases([trial(Target("toy", 1), a=0.1, b=0.3, c=0.2)], most=2)) == [
        ["b", "0.3000"],
        ["c", "0.2000"],
    ]


def test_of_two_models_those_where_they_differ_most_are_shown() -> None:
    first, second = trial(Target("toy", 1), a=0.1, b=0.5), trial(Target("toy", 2), a=0.3, b=0.5)

    assert cells(of_cases([first, second], most=1)) == [["a", "0.1000", "0.3000"]]


def test_the_worst_cases_are_kept_worst_first_and_not_all() -> None:
    made = trial(Target("toy", 1), **{f"p{number}": number / 100 for number in range(20)})

    assert [case.sample.name for case in made.worst] == [f"p{number}" for number in range(19, 11, -1)]


def test_a_level_of_load_is_a_row() -> None:
    (row,) = cells(of_levels("toy@1", "cpu", [Level(4, [0.01, 0.02, 0.03], 33.3, 0.006)]))

    assert row == ["4", "33.3", "20.0 ms", "20.0 ms", "28.0 ms", "29.0 ms", "29.8 ms", "6.0 ms"]


def test_percentiles_lie_between_samples() -> None:
    assert percentile([3.0], 99) == 3.0
    assert percentile([0.0, 1.0], 50) == 0.5
    assert percentile(list(map(float, range(101))), 95) == pytest.approx(95)


def test_times_are_told_as_exactly_as_they_matter() -> None:
    assert (milliseconds(0.0123), milliseconds(1.2345)) == ("12.3 ms", "1234 ms")


def test_a_report_is_kept_beside_the_card_and_its_figures_in_it(tmp_path: Path) -> None:
    write_toy_model(tmp_path)
    for file in ("a.png", "a-mask.png"):
        cv2.imwrite(str(tmp_path / file), np.zeros((4, 4), np.uint8))
    made = trial(Target("toy", 1))
    sample = Sample("a", tmp_path / "a.png", tmp_path / "a-mask.png")
    made.take(sample, np.zeros((4, 4), np.uint8), score(0.25))
    made.infer_s["a"], made.call_s["a"] = (0.1,), (0.2,)

    folder = write_report(tmp_path, made, tmp_path / "set")

    assert folder == tmp_path / "toy" / "eval" / "1" / "set"
    assert {path.name for path in folder.iterdir()} == {"report.json", "worst.jpg"}
    assert read_card(tmp_path / "toy").versions[1].quality == (
        "set (1 picture, cpu/mnn/f32): MAE 0.2500, SAD 25.00, MSE 0.1250, gradient 12.50, "
        "S 0.7500, E 0.7500, weighted F 0.7500"
    )


def test_a_name_stands_for_the_version_that_its_card_says(tmp_path: Path) -> None:
    write_toy_model(tmp_path, version=3)
    write_toy_model(tmp_path, version=5)

    assert resolve(tmp_path, Target("toy")) == Target("toy", 3)
    assert resolve(tmp_path, Target("toy", 5)) == Target("toy", 5)
    with pytest.raises(CardError, match="has no version 4; it has 3, 5"):
        resolve(tmp_path, Target("toy", 4))

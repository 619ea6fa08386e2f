"""What passes the gate, and what is refused for which reason, in words."""

from dataclasses import replace

import pytest

from evaluation.scores import Score
from evaluation.verdict import Measured, describe, judge, summary

GOOD = Score(mae=0.02, sad=3, mse=0.01, gradient=1, s_measure=0.95, e_measure=0.97, weighted_f=0.93)


def measured(score: Score = GOOD, second: float = 0.2, **others: Score) -> Measured:
    scores = {"cat": score, "cup": score, "wheel": score} | others
    return Measured(scores, dict.fromkeys(scores, (second, second * 1.1, second * 0.9)))


def test_an_equal_one_passes() -> None:
    assert judge(measured(), measured(), 1.5) == ()


def test_a_better_and_faster_one_passes() -> None:
    better = replace(GOOD, mae=0.001, s_measure=0.99, e_measure=0.99, weighted_f=0.99)

    assert judge(measured(better, 0.1), measured(), 1.5) == ()


def test_what_rounding_does_passes() -> None:
    assert judge(measured(replace(GOOD, mae=0.0201, s_measure=0.949)), measured(), 1.5) == ()


@pytest.mark.parametrize(
    ("worse", "words"),
    [
        ({"mae": 0.05}, "mean absolute error 0.0500 is above 0.0220; the one in its place has 0.0200"),
        ({"s_measure": 0.9}, "S-measure 0.9000 is below 0.9450"),
        ({"e_measure": 0.9}, "E-measure 0.9000 is below 0.9650"),
        ({"weighted_f": 0.9}, "weighted F-measure 0.9000 is below 0.9250"),
    ],
)
def test_a_worse_one_is_refused_with_the_figure_that_is_worse(worse: dict[str, float], words: str) -> None:
    (reason,) = judge(measured(replace(GOOD, **worse)), measured(), 1.5)

    assert words in reason


def test_one_lost_subject_is_refused_although_the_mean_is_better() -> None:
    new, old = replace(GOOD, mae=0.0), replace(GOOD, mae=0.08)

    (reason,) = judge(measured(new, wheel=replace(GOOD, mae=0.2)), measured(old), 1.5)

    assert reason.startswith("It loses the subject of 'wheel': mean absolute error 0.200")


def test_a_slow_one_is_refused_with_both_times() -> None:
    (reason,) = judge(measured(second=0.5), measured(second=0.2), 1.5)

    assert reason == (
        "It is too slow: 500 ms a picture instead of 200 ms, 2.50 times as long, and 1.50 times is the most."
    )


def test_one_that_is_slower_by_less_than_the_bound_passes() -> None:
    assert judge(measured(second=0.28), measured(second=0.2), 1.5) == ()


def test_a_hiccup_does_not_make_it_slow() -> None:
    new = measured()
    new.seconds["cat"] = (0.2, 30.0, 0.2)

    assert judge(new, measured(), 1.5) == ()


def test_milliseconds_are_not_counted_as_multiples() -> None:
    assert judge(measured(second=0.004), measured(second=0.001), 1.5) == ()


def test_all_reasons_are_said_at_once() -> None:
    bad = replace(GOOD, mae=0.4, s_measure=0.5, e_measure=0.5, weighted_f=0.2)

    assert len(judge(measured(bad, 2.0), measured(), 1.5)) == 6


def test_other_pictures_are_no_comparison() -> None:
    with pytest.raises(ValueError, match="the same pictures"):
        judge(measured(), measured(dog=GOOD), 1.5)
    with pytest.raises(ValueError, match="the same pictures"):
        judge(Measured({}, {}), Measured({}, {}), 1.5)


def test_figures_are_told_in_one_line() -> None:
    assert describe(measured(second=0.1), measured()) == (
        "MAE 0.0200 instead of 0.0200, S 0.9500 instead of 0.9500, E 0.9700 instead of 0.9700, "
        "weighted F 0.9300 instead of 0.9300, 100 ms instead of 200 ms"
    )
    assert summary(GOOD) == ("MAE 0.0200, SAD 3.00, MSE 0.0100, gradient 1.00, S 0.9500, E 0.9700, weighted F 0.9300")

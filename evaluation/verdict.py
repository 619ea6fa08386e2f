"""Whether a model may take another's place: quality not below, on the same pictures, and not too slow."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, fields

from evaluation.scores import Score, mean_score

SHORT = {
    "mae": "MAE",
    "sad": "SAD",
    "mse": "MSE",
    "gradient": "gradient",
    "s_measure": "S",
    "e_measure": "E",
    "weighted_f": "weighted F",
}
"""What tables and sentences call the figures of a `Score`, in order."""

# What the mean of a figure may lose: more than rounding does, as between fp32 and bf16, and nothing that is seen.
_MARGINS = {"mae": 0.002, "s_measure": 0.005, "e_measure": 0.005, "weighted_f": 0.005}
_NAMES = {
    "mae": "mean absolute error",
    "s_measure": "S-measure",
    "e_measure": "E-measure",
    "weighted_f": "weighted F-measure",
}

# What one picture's mean absolute error may rise by, however good the mean is. A tenth of a picture is a subject lost.
_COLLAPSE = 0.1

# Seconds by which a model may always be slower: what other work on a machine adds to a call of a few milliseconds.
_SLACK_S = 0.005


@dataclass(frozen=True)
class Measured:
    """What a model did with the pictures of a set, by the pictures' names.

    `scores`: of each matte. `seconds`: how long each inference took; the two models' are to be measured in turn.
    """

    scores: dict[str, Score]
    seconds: dict[str, tuple[float, ...]]

    @property
    def mean(self) -> Score:
        """The mean over the set."""
        return mean_score(self.scores.values())

    @property
    def latency_s(self) -> float:
        """The median over the set, in seconds."""
        return statistics.median(second for taken in self.seconds.values() for second in taken)


def judge(new: Measured, old: Measured, max_latency_ratio: float) -> tuple[str, ...]:
    """Say why `new` may not take the place of `old`; () if it may.

    It may not if the mean of MAE, S-, E- or weighted F-measure is below by more than what rounding does, if one picture
    is lost that `old` cuts out, or if the median over the pictures of the ratio of latencies is above
    `max_latency_ratio` (and 5 ms). Each reason is a sentence with its figures.

    Raises:
        ValueError: they were not measured on the same pictures, or on none.
    """
    if not new.scores or not new.scores.keys() == old.scores.keys() == new.seconds.keys() == old.seconds.keys():
        raise ValueError("both models must have worked on the same pictures")
    return *_losses(new.mean, old.mean), *_collapses(new, old), *_delays(new, old, max_latency_ratio)


def describe(new: Measured, old: Measured) -> str:
    """The figures of both in one line: `MAE 0.0110 instead of 0.0123, … 210 ms instead of 195 ms`."""
    after, before = new.mean, old.mean
    told = [f"{SHORT[name]} {getattr(after, name):.4f} instead of {getattr(before, name):.4f}" for name in _MARGINS]
    return ", ".join([*told, f"{1000 * new.latency_s:.0f} ms instead of {1000 * old.latency_s:.0f} ms"])


def summary(score: Score) -> str:
    """The figures of one score in one line, as cards hold them."""
    return ", ".join(f"{SHORT[field.name]} {digits(getattr(score, field.name))}" for field in fields(score))


def digits(value: float) -> str:
    """A figure of a score as people read it: four places, or two from 1 on."""
    return f"{value:.4f}" if value < 1 else f"{value:.2f}"


def _losses(new: Score, old: Score) -> Iterator[str]:
    for name, margin in _MARGINS.items():
        after, before = getattr(new, name), getattr(old, name)
        is_error = name == "mae"
        if (after - before if is_error else before - after) > margin:
            bound = f"above {before + margin:.4f}" if is_error else f"below {before - margin:.4f}"
            yield f"Quality is lower: {_NAMES[name]} {after:.4f} is {bound}; the one in its place has {before:.4f}."


def _collapses(new: Measured, old: Measured) -> Iterator[str]:
    rises = {name: score.mae - old.scores[name].mae for name, score in new.scores.items()}
    worst = max(rises, key=lambda name: rises[name])
    if rises[worst] > _COLLAPSE:
        yield (
            f"It loses the subject of {worst!r}: mean absolute error {new.scores[worst].mae:.3f}, "
            f"where the one in its place has {old.scores[worst].mae:.3f}."
        )


def _delays(new: Measured, old: Measured, max_ratio: float) -> Iterator[str]:
    pairs = [(statistics.median(taken), statistics.median(old.seconds[name])) for name, taken in new.seconds.items()]
    ratio = statistics.median(after / before for after, before in pairs)
    delay_s = statistics.median(after - before for after, before in pairs)
    if ratio > max_ratio and delay_s > _SLACK_S:
        yield (
            f"It is too slow: {1000 * new.latency_s:.0f} ms a picture instead of {1000 * old.latency_s:.0f} ms, "
            f"{ratio:.2f} times as long, and {max_ratio:.2f} times is the most."
        )

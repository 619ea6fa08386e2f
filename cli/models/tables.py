"""Tables of what was measured."""

import statistics
from collections.abc import Sequence
from dataclasses import fields

from rich.table import Table

from cli.models.load import Level
from cli.models.trial import Trial
from evaluation.scores import Score
from evaluation.verdict import SHORT, digits

_BETTER = {"mae": "↓", "sad": "↓", "mse": "↓", "gradient": "↓", "s_measure": "↑", "e_measure": "↑", "weighted_f": "↑"}


def of_trials(trials: Sequence[Trial], data: str) -> Table:
    """A row for each model."""
    count = len(trials[0].scores)
    table = Table(title=f"{data}: {count} picture{'s' if count > 1 else ''}", title_justify="left")
    table.add_column("model")
    for field in fields(Score):
        table.add_column(f"{SHORT[field.name]} {_BETTER[field.name]}", justify="right")
    for heading in ("inference p50", "p95", "call p50", "memory", "device"):
        table.add_column(heading, justify="left" if heading == "device" else "right")
    for trial in trials:
        infer_s = [second for taken in trial.infer_s.values() for second in taken]
        call_s = [second for taken in trial.call_s.values() for second in taken]
        memory = "–" if trial.memory_bytes is None else f"{trial.memory_bytes / 1e6:.0f} MB"
        times = (statistics.median(infer_s), percentile(infer_s, 95), statistics.median(call_s))
        figures = [digits(getattr(trial.measured.mean, field.name)) for field in fields(Score)]
        table.add_row(str(trial.target), *figures, *map(milliseconds, times), memory, trial.device)
    return table


def of_cases(trials: Sequence[Trial], most: int = 5) -> Table:
    """The pictures at which the models differ most, or, of one model, those with the largest error."""
    title = "Worst pictures, by MAE" if len(trials) == 1 else "MAE where they differ most"
    table = Table(title=title, title_justify="left")
    table.add_column("picture")
    for trial in trials:
        table.add_column(str(trial.target), justify="right")
    errors = {name: [trial.scores[name].mae for trial in trials] for name in trials[0].scores}
    spread = {name: found[0] if len(found) == 1 else max(found) - min(found) for name, found in errors.items()}
    for name in sorted(spread, key=lambda name: -spread[name])[:most]:
        table.add_row(name, *(f"{error:.4f}" for error in errors[name]))
    return table


def of_levels(name: str, device: str, levels: Sequence[Level]) -> Table:
    """A row for each number of requests in flight."""
    table = Table(title=f"{name} on {device}", title_justify="left")
    for heading in ("in flight", "inferences/s", "mean", "p50", "p90", "p95", "p99", "in the model"):
        table.add_column(heading, justify="right")
    for level in levels:
        times = [statistics.mean(level.seconds), *(percentile(level.seconds, share) for share in (50, 90, 95, 99))]
        told = map(milliseconds, [*times, level.compute_s])
        table.add_row(str(level.in_flight), f"{level.rate:.1f}", *told)
    return table


def percentile(samples: Sequence[float], share: int) -> float:
    """The `share`th percentile, 1 to 99: interpolated between samples, the largest one at most."""
    if len(samples) < 2:
        return samples[0]
    return statistics.quantiles(samples, n=100, method="inclusive")[share - 1]


def milliseconds(seconds: float) -> str:
    """Seconds as people read them."""
    return f"{1000 * seconds:.1f} ms" if seconds < 0.1 else f"{1000 * seconds:.0f} ms"

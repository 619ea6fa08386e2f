"""What was measured of a model, written beside its card: figures, a contact sheet, and one line in the card itself."""

import json
import statistics
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from cards.card import read_card
from cards.errors import CardError
from cards.render import write_quality
from cards.target import Target
from cli.models.trial import Trial
from evaluation.sheet import write_sheet
from evaluation.verdict import summary

REPORT_FILE, SHEET_FILE = "report.json", "worst.jpg"


def resolve(repository: Path, target: Target) -> Target:
    """The target with its version: the default one of its card, where it names none.

    Raises:
        CardError: there is no such version of a matting model in `repository`.
    """
    card = read_card(repository / target.model)
    version = target.version or card.default
    if version not in card.versions:
        known = ", ".join(map(str, sorted(card.versions)))
        raise CardError(f"{repository / target.model} has no version {version}; it has {known}.")
    return Target(target.model, version)


def write_report(repository: Path, trial: Trial, data: Path) -> Path:
    """Keep what was measured on the set in `data`, and return the folder it is in: NAME/eval/VERSION/SET.

    Raises:
        CardError: the card cannot be read. EvaluationError: the contact sheet cannot be written.
    """
    name = data.resolve().name
    folder = repository / trial.target.model / "eval" / str(trial.target.version) / name
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_figures(repository, trial, name), indent=1, ensure_ascii=False)
    (folder / REPORT_FILE).write_text(text + "\n", encoding="utf-8")
    write_sheet(trial.worst, folder / SHEET_FILE)
    count = len(trial.scores)
    quality = f"{name} ({count} picture{'s' if count > 1 else ''}, {trial.device}): {summary(trial.measured.mean)}"
    write_quality(repository / trial.target.model, trial.target.version, quality)
    return folder


def _figures(repository: Path, trial: Trial, data: str) -> dict[str, object]:
    card = read_card(repository / trial.target.model)
    return {
        "model": trial.target.model,
        "version": trial.target.version,
        "sha256": card.versions[trial.target.version].sha256,
        "data": data,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": trial.device,
        "mean": asdict(trial.measured.mean),
        "infer_p50_ms": 1000 * trial.measured.latency_s,
        "call_p50_ms": 1000 * statistics.median(second for taken in trial.call_s.values() for second in taken),
        "memory_mb": None if trial.memory_bytes is None else trial.memory_bytes / 1e6,
        "pictures": {name: asdict(score) for name, score in sorted(trial.scores.items())},
    }

"""Fetching the weights of a generation model, held to a manifest that is there before them or is made with them."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from cards.errors import CardError
from cards.files import staging
from cards.generation import GenerationCard
from cards.manifest import first_difference, hash_files, read_manifest, write_manifest
from cards.weights import broken_weights, files_of, foreign_file, manifest_of
from engine.models.errors import SourceError
from engine.models.origin import Origin
from engine.models.pipeline import take_pipeline

Report = Callable[[str], None]


def pull_weights(card: GenerationCard, folder: Path, origin: Origin, report: Report, *, trust: bool) -> bool:
    """Bring the weights of `card` from `origin` into the model's `folder`; False where they are there and unharmed.

    With a manifest beside the card, exactly its files are taken, and every byte must be as it says. Without one,
    nothing is known of what comes: `trust` says to take it all the same, and to write the manifest that holds from then
    on. Nothing is in its place before all of it is whole.

    Raises:
        SourceError: nothing pins the weights and `trust` is not given, something is missing, or is not as pinned.
    """
    if is_in_place(card, folder):
        return False
    manifest = manifest_of(folder, card.weights)
    if not manifest.exists() and not trust:
        raise SourceError(
            f"{manifest} is not there, so nothing says what the weights of {card.name} should be. Take it from "
            "somebody who has them. Or give --trust: what comes now is taken on your word and pinned by its hashes."
        )
    with staging(folder) as stage:
        report(f"Fetching the weights of {card.name}")
        if manifest.exists():
            _take_pinned(origin, manifest, stage / card.weights)
        else:
            take_pipeline(origin, stage / card.weights)
        report("Checking the weights")
        _settle(card, stage, manifest)
        report("Putting them in place")
        shutil.rmtree(folder / card.weights, ignore_errors=True)
        os.replace(stage / card.weights, folder / card.weights)
        if not manifest.exists():
            os.replace(manifest_of(stage, card.weights), manifest)
    return True


def is_in_place(card: GenerationCard, folder: Path) -> bool:
    """Whether the weights are there, every one as the manifest says."""
    try:
        return (folder / card.weights).is_dir() and broken_weights(folder, card.weights) is None
    except CardError:
        return False


def _take_pinned(origin: Origin, manifest: Path, target: Path) -> None:
    for name in read_manifest(manifest):
        if not origin.copy(name, target / name):
            raise SourceError(f"{name} is not there, and {manifest} names it.")


def _settle(card: GenerationCard, stage: Path, manifest: Path) -> None:
    """Hold what was fetched to the manifest, or write one."""
    files = files_of(stage, card.weights)
    problem = foreign_file(files)
    if problem is None and manifest.exists():
        problem = first_difference(stage / card.weights, manifest, files)
    if problem is not None:
        raise SourceError(problem)
    if not manifest.exists():
        write_manifest(manifest_of(stage, card.weights), hash_files(stage / card.weights, files))

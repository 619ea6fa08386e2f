"""Importing a network into the model repository: fold it, write its card, put both in place."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import onnx
from google.protobuf.message import EncodeError

from cards.card import CARD_FILE, ModelCard, read_card, version_folders, weights_file
from cards.errors import CardError
from cards.facts import Facts
from cards.files import sha256_of, staging
from cards.render import render_card, write_card
from cards.target import Target
from engine.models.errors import UnsupportedModelError
from engine.models.fold import fold
from engine.models.onnx_file import load_onnx
from engine.models.recipe import Recipe
from engine.models.tflite import load_tflite

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

Report = Callable[[str], None]


@dataclass(frozen=True)
class Origin:
    """What a person must know of a model: the `license` of its weights, whose they are, what it does."""

    license: str
    source: str
    description: str


def make_facts(weights: Path, source_sha256: str, recipe: Recipe, origin: Origin, *, dynamic_batch: bool) -> Facts:
    """What the card says of a version imported so, whose folded weights are the file `weights`."""
    return Facts(
        sha256=sha256_of(weights),
        size=weights.stat().st_size,
        mean=recipe.mean,
        std=recipe.std,
        license=origin.license,
        source=origin.source,
        source_sha256=source_sha256,
        description=origin.description,
        dynamic_batch=dynamic_batch,
    )


def make_card(name: str, recipe: Recipe, version: int, facts: Facts, old: ModelCard | None = None) -> ModelCard:
    """The card of a model after an import of `version`: `old` with that version in it.

    What was measured of weights holds for the same weights.

    Raises:
        UnsupportedModelError: other versions are there, and are of another size or want other threads.
    """
    others = {number: kept for number, kept in old.versions.items() if number != version} if old else {}
    card = ModelCard(name, recipe.height, recipe.width, {version: facts}, recipe.threads, version)
    if old is None:
        return card
    before = old.versions.get(version)
    if before and before.sha256 == facts.sha256:
        facts = replace(facts, quality=before.quality)
    if not others:
        return replace(card, versions={version: facts})
    if (recipe.height, recipe.width) != (old.height, old.width):
        raise UnsupportedModelError(
            f"{name} has versions of {old.height}×{old.width}, and all share one size: give a network of "
            f"{recipe.height}×{recipe.width} a name of its own."
        )
    if recipe.threads not in {None, old.threads}:
        told = "no --threads" if old.threads is None else f"--threads {old.threads}"
        raise UnsupportedModelError(f"{name} has versions that were imported with {told}, and all share that.")
    return replace(old, versions=dict(sorted({**others, version: facts}.items())))


def import_model(
    file: Path, repository: Path, target: Target, *, recipe: Recipe, origin: Origin, report: Report
) -> ModelCard:
    """Put the network in `file` into `repository` as `target` and return its model's card; `report` hears each step.

    A `.tflite` file is read as TensorFlow Lite, any other as ONNX. Version 0 is the first.

    An older version of that number is replaced only when the new one is whole, and the others stay as they are; weights
    and card are several files, so a process killed between their renames leaves a card that does not match, which
    `check_hashes` names. The same file and recipe give the same weights and the same card, byte for byte.

    Raises:
        UnsupportedModelError: the file is no network of the contract, or does not fit the versions that are there, or
            the target's is no name of a model.
        CardError: the versions that are there have no card.
    """
    name, version = target.model, target.version or 1
    if not _NAME.fullmatch(name):
        raise UnsupportedModelError(f"{name!r} is no model name: lower-case letters, digits, - and _, at most 64.")
    folder = repository / name
    is_new = not folder.exists()
    try:
        with staging(folder) as stage:
            old = _old_card(folder, version)
            report("Reading")
            weights = stage / weights_file(version)
            weights.parent.mkdir()
            dynamic_batch = _convert(file, weights, recipe, report)
            facts = make_facts(weights, sha256_of(file), recipe, origin, dynamic_batch=dynamic_batch)
            card = make_card(name, recipe, version, facts, old)
            write_card(card, stage)
            report("Putting it in place")
            for part in (weights_file(version), *reversed(render_card(card))):
                (folder / part).parent.mkdir(exist_ok=True)
                os.replace(stage / part, folder / part)
    except BaseException:
        if is_new and folder.exists() and not any(folder.iterdir()):
            folder.rmdir()
        raise
    return card


def _old_card(folder: Path, version: int) -> ModelCard | None:
    """The card that is there; None where there is none, or one that cannot be read and speaks for no other version."""
    if not (folder / CARD_FILE).exists():
        return None
    try:
        return read_card(folder)
    except CardError:
        if version_folders(folder).keys() - {version}:
            raise
        return None


def _convert(file: Path, target: Path, recipe: Recipe, report: Report) -> bool:
    """Write the folded graph of `file` to `target`; True if it takes any batch."""
    model = load_tflite(file) if file.suffix == ".tflite" else load_onnx(file)
    try:
        report("Folding the contract into the graph")
        dynamic_batch = fold(model, recipe)
        target.write_bytes(model.SerializeToString(deterministic=True))
        # The checker reads the file itself: two copies in memory would be one too many.
        del model
        report("Checking the graph")
        onnx.checker.check_model(target)
    except EncodeError as exc:
        raise UnsupportedModelError(f"{file} is over 2 GiB as float32, which one ONNX file cannot hold.") from exc
    # ValueError: a type that there is not, or a name that is not UTF-8, which protobuf lets pass.
    except (onnx.checker.ValidationError, ValueError) as exc:
        raise UnsupportedModelError(f"{file} is not valid ONNX: {exc}") from exc
    return dynamic_batch

"""Importing a network into the model repository: fold it, write its card, put both in place."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import EncodeError

from cards.card import CARD_FILE, CPU_CARD_FILE, WEIGHTS_FILE, ModelCard, write_card
from cards.files import sha256_of, staging
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


@dataclass(frozen=True)
class Hashes:
    """SHA-256 of the `weights` as they are served and of the `source` file that they were made from."""

    weights: str
    source: str


def make_card(name: str, recipe: Recipe, origin: Origin, hashes: Hashes, *, dynamic_batch: bool) -> ModelCard:
    """The card of a model imported so."""
    return ModelCard(
        name=name,
        height=recipe.height,
        width=recipe.width,
        sha256=hashes.weights,
        mean=recipe.mean,
        std=recipe.std,
        license=origin.license,
        source=origin.source,
        source_sha256=hashes.source,
        description=origin.description,
        dynamic_batch=dynamic_batch,
        threads=recipe.threads,
    )


def import_model(
    file: Path, repository: Path, name: str, *, recipe: Recipe, origin: Origin, report: Report
) -> ModelCard:
    """Put the network in `file` into `repository` under `name` and return its card; `report` hears each step.

    A `.tflite` file is read as TensorFlow Lite, any other as ONNX.

    An older model of that name is replaced only when the new one is whole; weights and card are three files, so a
    process killed between their renames leaves a card that does not match, which `check_hashes` names. The same file
    and recipe give the same weights and the same card, byte for byte.

    Raises:
        UnsupportedModelError: the file is no network of the contract, or `name` is no model name.
    """
    if not _NAME.fullmatch(name):
        raise UnsupportedModelError(f"{name!r} is no model name: lower-case letters, digits, - and _, at most 64.")
    folder = repository / name
    is_new = not folder.exists()
    try:
        with staging(folder) as stage:
            report("Reading")
            (stage / WEIGHTS_FILE).parent.mkdir()
            dynamic_batch = _convert(file, stage / WEIGHTS_FILE, recipe, report)
            hashes = Hashes(weights=sha256_of(stage / WEIGHTS_FILE), source=sha256_of(file))
            card = make_card(name, recipe, origin, hashes, dynamic_batch=dynamic_batch)
            write_card(card, stage)
            report("Putting it in place")
            for part in (WEIGHTS_FILE, CPU_CARD_FILE, CARD_FILE):
                (folder / part).parent.mkdir(exist_ok=True)
                os.replace(stage / part, folder / part)
    except BaseException:
        if is_new and folder.exists() and not any(folder.iterdir()):
            folder.rmdir()
        raise
    return card


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

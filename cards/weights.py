"""The folder of a generation model's weights, and the manifest that pins every file of it.

The folder is the user's, made by `clearcanvas models pull`; the manifest lies beside it, and whoever serves the model
commits it. Weights are safetensors: a pickle is a program, and is refused under whatever name it comes.
"""

from pathlib import Path

from cards.manifest import first_difference

ALLOWED_SUFFIXES = frozenset({".safetensors", ".json", ".txt", ".model"})
"""Weights, configurations, vocabularies and merges of tokenizers, sentencepiece models."""


def manifest_of(folder: Path, weights: str) -> Path:
    """The manifest of the weights `weights` of the model in `folder`."""
    return folder / f"{weights}.sha256"


def files_of(folder: Path, weights: str) -> list[Path]:
    """Every file that lies in the folder of the weights."""
    return [path for path in sorted((folder / weights).rglob("*")) if not path.is_dir()]


def lacking_weights(folder: Path, weights: str) -> str | None:
    """A sentence where the model in `folder` needs weights, and nobody has pulled any; else None."""
    if not weights or (folder / weights).is_dir():
        return None
    return f"{folder / weights} is not there: pull {folder.name!r} (clearcanvas models)."


def broken_weights(folder: Path, weights: str) -> str | None:
    """A sentence that names the first file of the weights that is not what it should be; None where all are.

    Raises:
        CardError: there is no manifest, or it cannot be read.
    """
    if not weights:
        return None
    files = files_of(folder, weights)
    return foreign_file(files) or first_difference(folder / weights, manifest_of(folder, weights), files)


def foreign_file(files: list[Path]) -> str | None:
    """A sentence that names the first of `files` that may not be among weights; else None."""
    for path in files:
        if path.is_symlink() or path.suffix not in ALLOWED_SUFFIXES:
            return f"{path} may not be there: weights are safetensors, with {_listed()} beside them, and no links."
    return None


def _listed() -> str:
    return ", ".join(sorted(ALLOWED_SUFFIXES - {".safetensors"}))

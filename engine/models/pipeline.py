"""Which files a diffusion pipeline consists of, as diffusers and transformers name them.

Hubs hold more than is needed: weights in several precisions and as pickles, pictures, papers. Only these are taken.
"""

import json
from pathlib import Path

from cards.manifest import is_inside
from engine.models.errors import SourceError
from engine.models.origin import Origin

INDEX = "model_index.json"
_CONFIGURATION = (
    "config.json",
    "scheduler_config.json",
    "preprocessor_config.json",
    "generation_config.json",
    "tokenizer_config.json",
    "tokenizer.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "tokenizer.model",
)
_WEIGHTS = ("diffusion_pytorch_model", "model")
_VARIANTS = ("fp16", "")  # Half the bytes, and what a GPU computes in.


def take_pipeline(origin: Origin, target: Path) -> None:
    """Copy the files of the pipeline at `origin` to the folder `target`.

    Raises:
        SourceError: it is no pipeline, or has a part without a single file that is known, or without safetensors.
    """
    if not origin.copy(INDEX, target / INDEX):
        raise SourceError(f"There is no {INDEX}: that is no pipeline as diffusers saves it.")
    parts = _parts(target / INDEX)
    found = [part for part in parts if any(_take_weights(origin, target, part, variant) for variant in _VARIANTS)]
    if not found:
        raise SourceError("No part has its weights as safetensors; other kinds of weights are programs, and not taken.")
    for part in parts:
        configured = [name for name in _CONFIGURATION if origin.copy(f"{part}/{name}", target / part / name)]
        if not configured and part not in found:
            raise SourceError(f"The part {part!r} has none of the files that are known, {', '.join(_CONFIGURATION)}.")


def _parts(index: Path) -> list[str]:
    """The folders that a pipeline's index names: each entry that is `[library, class]`."""
    try:
        entries = json.loads(index.read_text(encoding="utf-8"))
        listed = {name: value for name, value in entries.items() if isinstance(value, list)}
    except (ValueError, AttributeError) as exc:
        raise SourceError(f"{INDEX} is not one of diffusers: {exc}") from exc
    parts = [name for name, value in listed.items() if None not in value]
    if not parts or not all(is_inside(part) and "/" not in part for part in parts):
        raise SourceError(f"{INDEX} names no parts.")
    return parts


def _take_weights(origin: Origin, target: Path, part: str, variant: str) -> bool:
    """Copy the weights of a part, whole or in shards; False where it has none of this variant."""
    middle = f".{variant}" if variant else ""
    for stem in _WEIGHTS:
        name = f"{stem}{middle}.safetensors"
        if origin.copy(f"{part}/{name}", target / part / name):
            return True
        index = f"{stem}.safetensors.index{middle}.json"
        if origin.copy(f"{part}/{index}", target / part / index):
            for shard in _shards(target / part / index):
                if not origin.copy(f"{part}/{shard}", target / part / shard):
                    raise SourceError(f"{part}/{index} names {shard}, which is not there.")
            return True
    return False


def _shards(index: Path) -> list[str]:
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError) as exc:
        raise SourceError(f"{index.name} is no index of shards: {exc!r}") from exc
    if not all(isinstance(name, str) and is_inside(name) and name.endswith(".safetensors") for name in names):
        raise SourceError(f"{index.name} names what is no safetensors file.")
    return names

"""Imports of small networks, and what lies in a repository before and after them."""

from pathlib import Path

from cards.card import ModelCard
from cards.target import Target
from engine.models.importer import Origin, import_model
from engine.models.recipe import Recipe

RECIPE = Recipe(8, 8, (128.0, 128.0, 128.0), (256.0, 256.0, 256.0))
ORIGIN = Origin("MIT", "https://example.org", "For tests.")


def bring(file: Path, repository: Path, name: str = "tiny", recipe: Recipe = RECIPE, version: int = 1) -> ModelCard:
    """Import `file`, which nobody watches."""
    return import_model(file, repository, Target(name, version), recipe=recipe, origin=ORIGIN, report=lambda _: None)


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

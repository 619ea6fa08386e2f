"""Importing a further version: it joins the others, shares their size, and nothing of them changes."""

from dataclasses import replace
from pathlib import Path

import pytest

from cards.card import CARD_FILE, WEIGHTS_FILE, read_card
from cards.check import State, inspect
from cards.errors import CardError
from cards.render import write_quality
from engine.models.errors import UnsupportedModelError
from engine.models.recipe import Recipe
from tests.support.imports import RECIPE, bring, snapshot
from tests.support.networks import convolution, half, save


def test_a_second_version_joins_the_first_and_is_not_served_by_chance(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    first = bring(save(convolution(), tmp_path / "x.onnx"), repository)
    weights = (repository / "tiny" / WEIGHTS_FILE).read_bytes()
    other = replace(RECIPE, mean=(0.0,) * 3)
    card = bring(save(half(), tmp_path / "y.onnx"), repository, recipe=other, version=2)
    assert card == read_card(repository / "tiny")
    assert card.versions[1] == first.versions[1]
    assert (card.versions[2].mean, card.default) == ((0.0,) * 3, 1)
    assert (repository / "tiny" / WEIGHTS_FILE).read_bytes() == weights
    assert [(str(found.target), found.state) for found in inspect(repository)] == [
        ("tiny@1", State.GOOD),
        ("tiny@2", State.GOOD),
    ]


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (Recipe(8, 4, (0.0,) * 3, (1.0,) * 3), "all share one size"),
        (Recipe(8, 8, (0.0,) * 3, (1.0,) * 3, threads=1), "imported with no --threads"),
    ],
)
def test_a_version_of_another_kind_wants_a_name_of_its_own(tmp_path: Path, recipe: Recipe, message: str) -> None:
    repository, file = tmp_path / "repository", save(convolution("n", "h", "w"), tmp_path / "x.onnx")
    bring(file, repository)
    before = snapshot(repository)
    with pytest.raises(UnsupportedModelError, match=message):
        bring(file, repository, recipe=recipe, version=2)
    assert snapshot(repository) == before
    # There is no other version to be like.
    assert bring(file, repository, recipe=recipe).width == recipe.width


def test_what_was_measured_holds_for_the_same_weights_alone(tmp_path: Path) -> None:
    file = save(convolution(), tmp_path / "x.onnx")
    bring(file, tmp_path)
    bring(file, tmp_path, version=2)
    write_quality(tmp_path / "tiny", 2, "MAE 0.01")
    assert bring(file, tmp_path).versions[2].quality == "MAE 0.01"
    assert bring(file, tmp_path, version=2).versions[2].quality == "MAE 0.01"
    assert bring(save(half(), tmp_path / "y.onnx"), tmp_path, version=2).versions[2].quality == ""


def test_a_first_import_may_be_of_any_version_which_is_then_the_default(tmp_path: Path) -> None:
    card = bring(save(convolution(), tmp_path / "x.onnx"), tmp_path / "repository", version=7)
    assert (card.default, list(card.versions)) == (7, [7])
    assert [str(found.target) for found in inspect(tmp_path / "repository")] == ["tiny@7"]


def test_a_card_that_cannot_be_read_is_replaced_unless_it_speaks_for_others(tmp_path: Path) -> None:
    file = save(convolution(), tmp_path / "x.onnx")
    bring(file, tmp_path)
    (tmp_path / "tiny" / CARD_FILE).write_text("what is this")
    assert bring(file, tmp_path).default == 1
    bring(file, tmp_path, version=2)
    (tmp_path / "tiny" / CARD_FILE).write_text("what is this")
    with pytest.raises(CardError, match="not a Triton model configuration"):
        bring(file, tmp_path)

"""Checking: whatever is not as its card says is found, and named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cards.card import CARD_FILE, WEIGHTS_FILE, weights_file
from cards.check import State, check_hashes, inspect, inspect_version
from cards.errors import CardError
from cards.target import Target, parse_target
from tests.support.toy_generation import write_toy_generation
from tests.support.toy_model import write_toy_model


def test_models_as_their_cards_say_have_no_problem(tmp_path: Path) -> None:
    write_toy_model(tmp_path, "one", 8)
    write_toy_model(tmp_path, "two", 16)
    assert check_hashes(tmp_path) == []
    assert [(found.name, found.state) for found in inspect(tmp_path)] == [("one", State.GOOD), ("two", State.GOOD)]


@pytest.mark.case("C4")
@pytest.mark.parametrize("place", [0, 0.5, 1])
@pytest.mark.parametrize("bit", [1, 128])
def test_one_flipped_bit_is_found_and_named(tmp_path: Path, place: float, bit: int) -> None:
    write_toy_model(tmp_path, "good", 8)
    weights = write_toy_model(tmp_path, "bad", 8) / WEIGHTS_FILE
    data = bytearray(weights.read_bytes())
    data[round(place * (len(data) - 1))] ^= bit
    weights.write_bytes(data)
    (problem,) = check_hashes(tmp_path)
    assert str(weights) in problem
    assert "is not what its card says" in problem


@pytest.mark.case("C4")
@pytest.mark.parametrize("version", [1, 2])
def test_the_harmed_version_is_named_and_its_neighbour_is_good(tmp_path: Path, version: int) -> None:
    for number in (1, 2):
        folder = write_toy_model(tmp_path, size=8, version=number)
    weights = folder / weights_file(version)
    data = bytearray(weights.read_bytes())
    data[7] ^= 1
    weights.write_bytes(data)
    (problem,) = check_hashes(tmp_path)
    assert str(weights) in problem
    states = {number: inspect_version(tmp_path, Target("toy", number)).state for number in (1, 2)}
    assert states == {version: State.WRONG, 3 - version: State.GOOD}


def test_no_version_means_the_default_one(tmp_path: Path) -> None:
    write_toy_model(tmp_path, size=8)
    write_toy_model(tmp_path, size=8, version=2)
    assert inspect_version(tmp_path, Target("toy")).target == Target("toy", 1)


@pytest.mark.parametrize("name", ["toy@3", "none@1", "painter@2"])
def test_a_version_that_no_card_tells_of_is_wrong(tmp_path: Path, name: str) -> None:
    write_toy_model(tmp_path, size=8)
    write_toy_generation(tmp_path, "painter")
    found = inspect_version(tmp_path, parse_target(name))
    assert found.state is State.WRONG
    assert found.problem


@pytest.mark.case("C4")
@pytest.mark.parametrize("harm", [lambda data: data[:-1], lambda data: data + b"\0", lambda _: b""])
def test_a_cut_or_longer_file_is_found(tmp_path: Path, harm: Callable[[bytes], bytes]) -> None:
    weights = write_toy_model(tmp_path, size=8) / WEIGHTS_FILE
    weights.write_bytes(harm(weights.read_bytes()))
    (problem,) = check_hashes(tmp_path)
    assert str(weights) in problem


def test_weights_that_nobody_pulled_are_missing_not_wrong(tmp_path: Path) -> None:
    (write_toy_model(tmp_path, size=8) / WEIGHTS_FILE).unlink()
    assert check_hashes(tmp_path) == []
    (found,) = inspect(tmp_path)
    assert found.state is State.MISSING
    assert "pull or import 'toy'" in found.problem


@pytest.mark.parametrize("stranger", ["2/model.onnx", "02/model.onnx", "1x/a", "1/weights.bin", "1/deep/er.bin"])
def test_a_file_that_no_hash_speaks_for_is_found(tmp_path: Path, stranger: str) -> None:
    path = write_toy_model(tmp_path, size=8) / stranger
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"anything")
    (problem,) = check_hashes(tmp_path)
    assert str(path) in problem


def test_a_model_without_a_card_is_found(tmp_path: Path) -> None:
    folder = write_toy_model(tmp_path, size=8)
    (folder / CARD_FILE).unlink()
    (problem,) = check_hashes(tmp_path)
    assert str(folder / CARD_FILE) in problem


def test_a_card_under_another_name_is_found(tmp_path: Path) -> None:
    write_toy_model(tmp_path, "one", 8).rename(tmp_path / "two")
    (problem,) = check_hashes(tmp_path)
    assert "card of 'one', not of 'two'" in problem


def test_hidden_folders_and_files_are_no_models(tmp_path: Path) -> None:
    write_toy_model(tmp_path, size=8)
    (tmp_path / ".staging-x").mkdir()
    (tmp_path / "README.md").write_text("text")
    assert [found.name for found in inspect(tmp_path)] == ["toy"]


def test_a_repository_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="not a model repository"):
        inspect(tmp_path / "nothing")

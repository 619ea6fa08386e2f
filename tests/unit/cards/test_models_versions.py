"""What is said of every version, for those who list or judge them; and copies with some versions alone."""

from pathlib import Path

import pytest

from cards.card import CPU_CARD_FILE, GPU_CARD_FILE, read_card, read_config
from cards.check import State, inspect
from cards.copies import link_versions
from cards.errors import CardError
from cards.render import write_quality
from cards.target import Target
from cards.versions import list_versions, versions_of
from tests.support.toy_generation import write_toy_generation
from tests.support.toy_model import write_toy_model


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A network with two versions, a painter, and a folder that is no model."""
    folder = tmp_path / "repository"
    write_toy_model(folder, "toy", 8)
    write_toy_model(folder, "toy", 8, version=2, gain=-4.0)
    write_toy_generation(folder, "painter")
    (folder / "broken").mkdir()
    return folder


def test_every_version_is_listed_with_its_own_facts(repository: Path) -> None:
    listed = {str(one.target): one for one in list_versions(repository)}
    assert [(name, one.kind, one.is_default) for name, one in listed.items()] == [
        ("painter@1", "procedural", True),
        ("toy@1", "matting", True),
        ("toy@2", "matting", False),
    ]
    assert {"description", "license", "source", "sha256", "size", "mean", "std"} <= listed["toy@2"].facts.keys()
    assert listed["toy@1"].facts["sha256"] != listed["toy@2"].facts["sha256"]
    assert {"description", "license", "source", "sha256", "size"} <= listed["painter@1"].facts.keys()


def test_a_changed_painter_has_another_hash(repository: Path) -> None:
    (before,) = versions_of(repository / "painter")
    seal = repository / "painter" / "files.sha256"
    seal.write_text(seal.read_text().replace("a", "b"))
    (after,) = versions_of(repository / "painter")
    assert before.facts["sha256"] != after.facts["sha256"]


def test_a_measured_quality_stands_in_every_card_of_its_version_alone(repository: Path) -> None:
    before = read_card(repository / "toy")
    write_quality(repository / "toy", 2, "golden: MAE 0.02")
    after = read_card(repository / "toy")
    assert (after.versions[1], after.versions[2].quality) == (before.versions[1], "golden: MAE 0.02")
    for file in (CPU_CARD_FILE, GPU_CARD_FILE):
        assert read_config(repository / "toy", file).parameters["quality@2"].string_value == "golden: MAE 0.02"
    with pytest.raises(CardError, match="no version 3"):
        write_quality(repository / "toy", 3, "")


def test_a_copy_has_just_the_versions_that_were_asked_for(repository: Path, tmp_path: Path) -> None:
    link_versions(repository / "toy", [2], tmp_path / "copies" / "candidate")
    (found,) = inspect(tmp_path / "copies")[1:]
    assert (found.target, found.state) == (Target("candidate", 2), State.GOOD)
    for file in ("config.pbtxt", CPU_CARD_FILE, GPU_CARD_FILE):
        config = read_config(tmp_path / "copies" / "candidate", file)
        assert (config.name, list(config.version_policy.specific.versions)) == ("candidate", [2])

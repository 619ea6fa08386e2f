"""Importing: the new model is whole or the old one stays, and the same file always gives the same bytes."""

import errno
import os
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from cards.card import CARD_FILE, WEIGHTS_FILE, ModelCard, read_card
from cards.check import State, inspect
from cards.facts import Facts
from cards.files import sha256_of
from engine.models.errors import UnsupportedModelError
from tests.support.imports import RECIPE, bring, snapshot
from tests.support.networks import convolution, half, run, save


def test_the_card_says_what_was_imported(tmp_path: Path) -> None:
    file = save(convolution(), tmp_path / "x.onnx")
    card = bring(file, tmp_path / "repository")
    weights = tmp_path / "repository" / "tiny" / WEIGHTS_FILE
    assert read_card(tmp_path / "repository" / "tiny") == card
    assert card == ModelCard(
        name="tiny",
        height=8,
        width=8,
        versions={
            1: Facts(
                sha256=sha256_of(weights),
                size=weights.stat().st_size,
                mean=RECIPE.mean,
                std=RECIPE.std,
                license="MIT",
                source="https://example.org",
                source_sha256=sha256_of(file),
                description="For tests.",
                dynamic_batch=True,
            )
        },
    )


def test_what_was_imported_runs(tmp_path: Path) -> None:
    bring(save(half(), tmp_path / "x.onnx"), tmp_path)
    image = np.full((3, 8, 8, 3), 128, np.uint8)
    # At the mean only the bias, 1/8, is left: 255 × sigmoid(0.125) = 135.46…
    assert np.unique(run(tmp_path / "tiny" / WEIGHTS_FILE, {"IMAGE": image}, "ALPHA")).tolist() == [135]


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    file = save(half(), tmp_path / "x.onnx")
    bring(file, tmp_path / "a")
    bring(file, tmp_path / "b")
    assert snapshot(tmp_path / "a") == snapshot(tmp_path / "b")
    cards = {"tiny/config.pbtxt", "tiny/configs/cpu.pbtxt", "tiny/configs/gpu.pbtxt"}
    assert set(snapshot(tmp_path / "a")) == cards | {"tiny/1/model.onnx"}


def test_weights_beside_the_model_are_taken_in(tmp_path: Path) -> None:
    onnx.save(convolution(), tmp_path / "x.onnx", save_as_external_data=True, location="x.data", size_threshold=0)
    assert (tmp_path / "x.data").stat().st_size > 0
    bring(tmp_path / "x.onnx", tmp_path)
    bring(save(convolution(), tmp_path / "y.onnx"), tmp_path, "whole")
    assert (tmp_path / "tiny" / WEIGHTS_FILE).read_bytes() == (tmp_path / "whole" / WEIGHTS_FILE).read_bytes()


def test_a_new_import_replaces_the_old_model_and_keeps_other_files(tmp_path: Path) -> None:
    bring(save(convolution(), tmp_path / "x.onnx"), tmp_path / "repository")
    (tmp_path / "repository" / "tiny" / "README").write_text("mine")
    before = read_card(tmp_path / "repository" / "tiny")
    after = bring(save(half(), tmp_path / "y.onnx"), tmp_path / "repository")
    assert after.versions[1].sha256 != before.versions[1].sha256
    assert [found.state for found in inspect(tmp_path / "repository")] == [State.GOOD]
    assert (tmp_path / "repository" / "tiny" / "README").read_text() == "mine"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_failed_import_changes_nothing(tmp_path: Path, *, is_there: bool) -> None:
    repository = tmp_path / "repository"
    if is_there:
        bring(save(convolution(), tmp_path / "x.onnx"), repository)
    before = snapshot(repository)
    with pytest.raises(UnsupportedModelError):
        bring(save(convolution(logits=True), tmp_path / "bad.onnx"), repository)
    assert snapshot(repository) == before
    assert [path.name for path in repository.iterdir()] == (["tiny"] if is_there else [])


def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = tmp_path / "repository"
    bring(save(convolution(), tmp_path / "x.onnx"), repository)
    before = snapshot(repository)

    def full(_path: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    file = save(half(), tmp_path / "y.onnx")
    with pytest.raises(OSError, match="No space left"):
        bring(file, repository)
    assert snapshot(repository) == before


def test_a_stop_between_the_renames_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = tmp_path / "repository"
    bring(save(convolution(), tmp_path / "x.onnx"), repository)
    rename = os.replace

    def stop_at_the_card(source: Path, target: Path) -> None:
        if target.name == CARD_FILE:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "replace", stop_at_the_card)
    file = save(half(), tmp_path / "y.onnx")
    with pytest.raises(KeyboardInterrupt):
        bring(file, repository)
    assert [found.state for found in inspect(repository)] == [State.WRONG]
    monkeypatch.undo()
    bring(file, repository)
    assert [found.state for found in inspect(repository)] == [State.GOOD]


def test_what_a_killed_import_left_is_swept(tmp_path: Path) -> None:
    left = tmp_path / "tiny" / ".staging-dead" / "1"
    left.mkdir(parents=True)
    (left / "model.onnx").write_bytes(b"half")
    bring(save(convolution(), tmp_path / "x.onnx"), tmp_path)
    assert sorted(path.name for path in (tmp_path / "tiny").iterdir()) == ["1", "config.pbtxt", "configs"]


def test_imports_of_one_name_at_once_leave_one_whole_model(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    built = [save(convolution(), tmp_path / "x.onnx"), save(half(), tmp_path / "y.onnx")] * 4
    threads = [threading.Thread(target=bring, args=(file, repository)) for file in built]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found.state for found in inspect(repository)] == [State.GOOD]
    assert not list(repository.glob("tiny/.staging-*"))


@pytest.mark.case("C5")
@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "Upper", "a" * 65, "-x", "a\nb"])
def test_a_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsupportedModelError, match="no model name"):
        bring(save(convolution(), tmp_path / "x.onnx"), tmp_path / "repository", name)
    assert not (tmp_path / "repository").exists()


def test_the_longest_name_is_good(tmp_path: Path) -> None:
    assert bring(save(convolution(), tmp_path / "x.onnx"), tmp_path, "a" * 64).name == "a" * 64


def test_a_graph_that_the_checker_refuses_is_refused(tmp_path: Path) -> None:
    model = convolution()
    model.graph.node[0].attribute.append(helper.make_attribute("nonsense", 1))
    with pytest.raises(UnsupportedModelError, match="not valid ONNX"):
        bring(save(model, tmp_path / "x.onnx"), tmp_path)


@pytest.mark.parametrize("build", [convolution, half])
def test_a_tensor_shorter_than_its_shape_is_refused(tmp_path: Path, build: type) -> None:
    model = build()
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-1]
    with pytest.raises(UnsupportedModelError, match=r"not as long as its shape|not valid ONNX"):
        bring(save(model, tmp_path / "x.onnx"), tmp_path)


def test_a_type_that_there_is_not_is_refused(tmp_path: Path) -> None:
    model = convolution()
    model.graph.input[0].type.tensor_type.elem_type = 99
    with pytest.raises(UnsupportedModelError, match="not valid ONNX"):
        bring(save(model, tmp_path / "x.onnx"), tmp_path)


def test_random_damage_is_always_a_sentence(tmp_path: Path) -> None:
    good = half().SerializeToString()
    random = np.random.default_rng(3)
    outcomes = set()
    for _ in range(150):
        data = bytearray(good)
        data[random.integers(len(data))] = random.integers(256)
        (tmp_path / "x.onnx").write_bytes(data)
        try:
            bring(tmp_path / "x.onnx", tmp_path)
            outcomes.add("taken")
        except UnsupportedModelError:
            outcomes.add("refused")
    assert outcomes == {"taken", "refused"}


def test_no_float16_is_left(tmp_path: Path) -> None:
    bring(save(half(), tmp_path / "x.onnx"), tmp_path)
    model = onnx.load(tmp_path / "tiny" / WEIGHTS_FILE)
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    kinds = {value.type.tensor_type.elem_type for value in inferred.graph.value_info}
    assert TensorProto.FLOAT in kinds
    assert TensorProto.FLOAT16 not in kinds

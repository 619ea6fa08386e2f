"""TensorFlow Lite: what it computes is what the ONNX graph computes, and what is not known is refused by name."""

from pathlib import Path

import numpy as np
import pytest
import tflite

from cards.card import WEIGHTS_FILE, read_card
from cards.target import Target
from engine.models.errors import UnsupportedModelError
from engine.models.importer import Origin, import_model
from engine.models.recipe import Recipe
from engine.models.tflite import load_tflite
from tests.support.networks import run
from tests.support.tflite_network import convolution_file

KERNEL = np.random.default_rng(5).normal(0, 0.4, (1, 2, 3, 3)).astype(np.float16)
BIAS = np.array([0.25], np.float32)
SIZE = (5, 6)
RECIPE = Recipe(*SIZE, (0.0, 0.0, 0.0), (255.0, 255.0, 255.0), threads=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.tflite"
    path.write_bytes(convolution_file(KERNEL, BIAS, SIZE))
    return path


def bring(file: Path, repository: Path) -> None:
    import_model(file, repository, Target("tiny"), recipe=RECIPE, origin=Origin("MIT", "", ""), report=lambda _: None)


def test_an_imported_network_answers_as_its_arithmetic_says(tmp_path: Path, file: Path) -> None:
    bring(file, tmp_path)
    pictures = np.random.default_rng(6).integers(0, 256, (2, *SIZE, 3), np.uint8)
    # "Same" padding of a kernel of 2 × 3: none before and one row after, one column on each side.
    padded = np.pad(pictures / 255, ((0, 0), (0, 1), (1, 1), (0, 0)))
    logits = np.full((2, *SIZE), 0.25)
    for y, x in np.ndindex(2, 3):
        logits += padded[:, y : y + SIZE[0], x : x + SIZE[1]] @ KERNEL[0, y, x].astype(np.float64)
    expected = 255 / (1 + np.exp(-logits))
    assert np.abs(run(tmp_path / "tiny" / WEIGHTS_FILE, {"IMAGE": pictures}, "ALPHA") - expected).max() < 0.51


def test_the_card_keeps_its_number_of_threads_from_every_accelerator(tmp_path: Path, file: Path) -> None:
    bring(file, tmp_path)
    card = read_card(tmp_path / "tiny")
    assert (card.threads, card.dynamic_batch) == (1, True)
    on_cpu = (tmp_path / "tiny" / "configs" / "cpu.pbtxt").read_text()
    assert "intra_op_thread_count" in on_cpu
    assert "accelerator" not in on_cpu


def test_the_same_file_gives_the_same_bytes(tmp_path: Path, file: Path) -> None:
    for name in ("first", "second"):
        bring(file, tmp_path / name)
    weights = [tmp_path / name / "tiny" / WEIGHTS_FILE for name in ("first", "second")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_an_operator_that_is_not_known_is_named(tmp_path: Path) -> None:
    path = tmp_path / "other.tflite"
    path.write_bytes(convolution_file(KERNEL, BIAS, SIZE, last=tflite.BuiltinOperator.SOFTMAX))
    with pytest.raises(UnsupportedModelError, match="The operator SOFTMAX of TensorFlow Lite is not known here"):
        load_tflite(path)


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError, match=r"nothing\.tflite cannot be read: No such file"):
        load_tflite(tmp_path / "nothing.tflite")
    (tmp_path / "text.tflite").write_bytes(b"not a network")
    with pytest.raises(UnsupportedModelError, match=r"text\.tflite is not a TensorFlow Lite file"):
        load_tflite(tmp_path / "text.tflite")


@pytest.mark.case("C7")
def test_damage_is_an_error_of_its_own_and_nothing_else(tmp_path: Path, file: Path) -> None:
    whole = file.read_bytes()
    damaged = tmp_path / "damaged.tflite"
    chance = np.random.default_rng(7)
    for _ in range(300):
        data = bytearray(whole)
        for place in chance.integers(8, len(data), 4):
            data[place] = chance.integers(0, 256)
        damaged.write_bytes(data[: chance.integers(len(data) // 2, len(data) + 1)])
        try:
            load_tflite(damaged)
        except UnsupportedModelError:
            continue

"""`clearcanvas models verify` with the real engine: it loads, asks, and leaves nothing behind."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from cards.card import WEIGHTS_FILE, ModelCard, read_card
from cards.files import sha256_of
from cards.render import write_card
from cards.target import Target
from engine.models.canary import Answer, ask, canary_picture
from engine.models.errors import CanaryError
from tests.support.processes import module
from tests.support.toy_model import write_toy_model


def test_verify_asks_good_models_and_fails_for_harmed_ones(tmp_path: Path, triton_env: Path) -> None:
    write_toy_model(tmp_path, "good", 64)
    weights = write_toy_model(tmp_path, "harmed", 64) / WEIGHTS_FILE
    weights.write_bytes(weights.read_bytes() + b"\0")
    command = module("cli", "models", "verify", "--repository", str(tmp_path))
    environment = os.environ | {"CLEARCANVAS_TRITON_ENV": str(triton_env), "COLUMNS": "120"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stdout + result.stderr
    lines = {line.split()[1]: line for line in result.stdout.splitlines() if line.startswith("│")}
    assert "cpu/" in lines["good@1"]
    assert "not asked" in lines["harmed@1"]
    assert f"error: {weights} is not what its card says" in result.stderr
    assert result.stderr.count("error:") == 1


def test_each_model_answers_for_itself(tmp_path: Path, triton_env: Path) -> None:
    write_toy_model(tmp_path, "good", 64, version=2, gain=-4.0)
    good_card = read_card(write_toy_model(tmp_path, "good", 64))
    asked = {Target("good", 1): good_card, Target("good", 2): good_card, Target("bad", 1): _card_of_a_bad_one(tmp_path)}
    answers = ask(tmp_path, asked, triton_env)
    good, second = answers[Target("good", 1)], answers[Target("good", 2)]
    assert isinstance(good, Answer)
    assert good.device.startswith("cpu/")
    bright = (canary_picture(64, 64).mean(axis=2) > 96).mean()
    assert good.coverage == pytest.approx(bright, abs=0.01)
    assert isinstance(second, Answer)
    assert second.coverage != good.coverage
    assert isinstance(answers[Target("bad", 1)], CanaryError)
    assert "bad@1" in str(answers[Target("bad", 1)])


def test_no_triton_is_an_error_with_the_engines_own_words(tmp_path: Path) -> None:
    card = read_card(write_toy_model(tmp_path, "good", 64))
    with pytest.raises(CanaryError, match=r"The engine ended with 1:[\s\S]*nowhere"):
        ask(tmp_path, {Target("good", 1): card}, tmp_path / "nowhere")


def _card_of_a_bad_one(repository: Path) -> ModelCard:
    """A model that loads, but whose graph fails at the first picture, which no check before running it shows."""
    folder = write_toy_model(repository, "bad", 64)
    path = folder / WEIGHTS_FILE
    model = onnx.load(path)
    for node in model.graph.node:
        if node.output[0] == "ALPHA":
            node.output[0] = "bytes"
    model.graph.node.append(helper.make_node("Reshape", ["bytes", "shape"], ["ALPHA"]))
    model.graph.initializer.append(helper.make_tensor("shape", TensorProto.INT64, [3], [-1, 64, 65]))
    onnx.save(model, path)
    card = read_card(folder)
    bad = replace(card, versions={1: replace(card.versions[1], sha256=sha256_of(path))})
    write_card(bad, folder)
    return bad

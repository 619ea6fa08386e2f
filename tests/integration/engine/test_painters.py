"""Generation models in the real Triton: both kinds answer, break off when nobody waits, and come back when they die."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from cards.card import read_config
from cards.generation import GenerationCard, read_generation_card
from cards.seal import seal
from cards.target import Target
from engine.models.canary import Answer, ask
from engine.models.errors import CanaryError
from server.errors import DeadlineExceededError, ModelNotFoundError, ModelUnavailableError
from server.generation import Generation, Prompt
from server.triton.generation import GenerationClient
from tests.integration.engine.engine_process import RunningEngine, ended_engine, kill, running_engine
from tests.support.processes import module, wait_until
from tests.support.toy_generation import write_toy_generation
from tests.support.toy_model import write_toy_model

MODELS = ["ordinary", "stream"]
BEGUN, GIVEN_UP = "toy painting begun", "toy painting cancelled"


@pytest.fixture(scope="module")
def engine(triton_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    folder = tmp_path_factory.mktemp("painters")
    write_toy_generation(folder / "models", "ordinary")
    write_toy_generation(folder / "models", "stream", decoupled=True)
    with running_engine(folder / "models", triton_env, folder) as engine:
        yield engine


def paint(engine: RunningEngine, model: str, words: str = "", within_s: float = 30.0, seed: int = 300) -> Generation:
    """Have the left half of a black picture painted."""
    image, mask = np.zeros((64, 96, 3), np.uint8), np.zeros((64, 96), np.uint8)
    mask[:, :48] = 255
    bound = GenerationClient(engine.address).model(Target(model), time.monotonic() + within_s)
    return bound.generate(Prompt(words, "", seed), image, mask)


def given_up(engine: RunningEngine) -> int:
    """How often a picture was broken off because nobody waited."""
    return engine.triton_log.read_text().count(GIVEN_UP)


@pytest.mark.parametrize("model", MODELS)
def test_a_picture_is_painted(engine: RunningEngine, model: str) -> None:
    generation = paint(engine, model)
    assert (generation.image[:, :48] == 300 % 256).all()
    assert not generation.image[:, 48:].any()
    assert generation.device == "cpu/toy/uint8"


@pytest.mark.parametrize("model", MODELS)
def test_a_deadline_frees_the_model(engine: RunningEngine, model: str) -> None:
    before = given_up(engine)
    with pytest.raises(DeadlineExceededError):
        paint(engine, model, "wait 60", within_s=0.5)
    wait_until(lambda: given_up(engine) > before, "the model breaks off")
    assert paint(engine, model).image.any()


@pytest.mark.parametrize("model", MODELS)
def test_a_caller_that_is_killed_frees_the_model(engine: RunningEngine, model: str) -> None:
    before, begun = given_up(engine), engine.triton_log.read_text().count(BEGUN)
    code = (
        "import sys, time, numpy as np; from server.triton.generation import GenerationClient;"
        "from server.generation import Prompt;"
        "from cards.target import Target;"
        "model = GenerationClient(sys.argv[1]).model(Target(sys.argv[2]), time.monotonic() + 60);"
        "model.generate(Prompt('wait 60', '', 1), np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8))"
    )
    command = [sys.executable, "-c", code, engine.address, model]
    with subprocess.Popen(command) as caller:
        wait_until(lambda: engine.triton_log.read_text().count(BEGUN) > begun, "the model has begun")
        kill(psutil.Process(caller.pid))
        wait_until(lambda: given_up(engine) > before, "the model breaks off")


@pytest.mark.case("H13")
@pytest.mark.parametrize("model", MODELS)
def test_a_model_that_dies_costs_one_picture(engine: RunningEngine, model: str) -> None:
    with pytest.raises(ModelUnavailableError):
        paint(engine, model, "crash")
    wait_until(lambda: engine.logged(f"model {model}@1 is back"), "the model is back")
    assert paint(engine, model).image.any()


def test_pictures_asked_for_at_once_are_each_their_own(engine: RunningEngine) -> None:
    with ThreadPoolExecutor(8) as pool:
        for model in MODELS:
            painted = pool.map(lambda seed, name=model: paint(engine, name, seed=seed).image[0, 0, 0], range(1, 9))
            assert list(painted) == list(range(1, 9))


@pytest.mark.parametrize("model", MODELS)
def test_a_painter_that_hangs_is_replaced(model: str, triton_env: Path, tmp_path: Path) -> None:
    write_toy_generation(tmp_path / "models", model, decoupled=model == "stream")
    with running_engine(tmp_path / "models", triton_env, tmp_path, {"CLEARCANVAS_TRITON_HANG_S": "3"}) as engine:
        (stub,) = engine.stubs(model)
        stub.suspend()
        wait_until(lambda: engine.logged(f"model {model}@1 is back"), "the model is back")
        assert paint(engine, model).image.any()


@pytest.mark.case("C4")
def test_changed_code_is_not_served_and_the_refusal_says_how_to_seal_it(triton_env: Path, tmp_path: Path) -> None:
    code = write_toy_generation(tmp_path / "models") / "1" / "model.py"
    code.write_text(code.read_text() + "\n")
    ended = ended_engine(tmp_path / "models", triton_env, tmp_path)
    assert ended.returncode == 1
    assert f"{code} is not what" in ended.stderr
    assert "clearcanvas models seal toy_painter" in ended.stderr


@pytest.mark.case("C4")
def test_bytecode_beside_the_code_is_not_run(triton_env: Path, tmp_path: Path) -> None:
    """Python would run a cached module whose time and size are those of its source."""
    folder = write_toy_generation(tmp_path / "models")
    code, true = folder / "1" / "model.py", (folder / "1" / "model.py").read_text()
    code.write_text(true.replace("cpu/toy/uint8", "cpu/lie/uint8"))
    written = code.stat()
    subprocess.run([triton_env / "bin" / "python", "-m", "py_compile", code], check=True)
    assert list((folder / "1" / "__pycache__").iterdir())
    code.write_text(true)
    os.utime(code, ns=(written.st_atime_ns, written.st_mtime_ns))
    with running_engine(tmp_path / "models", triton_env, tmp_path) as engine:
        assert paint(engine, "toy_painter").device == "cpu/toy/uint8"


def test_a_model_whose_weights_nobody_pulled_keeps_nothing_from_being_served(triton_env: Path, tmp_path: Path) -> None:
    write_toy_model(tmp_path / "models")
    folder = write_toy_generation(tmp_path / "models", "heavy")
    with (folder / "config.pbtxt").open("a") as card:
        card.write('parameters { key: "weights" value { string_value: "weights" } }\n')
    with running_engine(tmp_path / "models", triton_env, tmp_path) as engine:
        assert engine.answers("toy")
        assert engine.logged(r"INFO engine \[-\] not served: heavy: .*weights is not there: pull")
        assert not engine.logged("ERROR")
        with pytest.raises(ModelNotFoundError):
            paint(engine, "heavy")


def test_verify_has_each_painter_paint(triton_env: Path, tmp_path: Path) -> None:
    for name in MODELS:
        write_toy_generation(tmp_path, name, decoupled=name == "stream")
    broken = write_toy_generation(tmp_path, "broken") / "1" / "model.py"
    broken.write_text(broken.read_text().replace("seed[0] % 256), image)", "seed[0] % 256), image)[:1]"))
    seal(broken.parents[1])

    asked = {Target(name, 1): card_of(tmp_path / name) for name in (*MODELS, "broken")}
    answers = ask(tmp_path, asked, triton_env)

    for name in MODELS:
        answer = answers[Target(name, 1)]
        assert isinstance(answer, Answer)
        assert (answer.device, answer.coverage) == ("cpu/toy/uint8", None)
    assert re.search(r"gave uint8 \(1, 256, 3\) as IMAGE", str(answers[Target("broken", 1)]))
    assert isinstance(answers[Target("broken", 1)], CanaryError)


def test_list_names_what_every_painter_is_and_lacks(tmp_path: Path) -> None:
    write_toy_generation(tmp_path, "ordinary")
    command = module("cli", "models", "list", "--repository", str(tmp_path))
    result = subprocess.run(command, env=os.environ | {"COLUMNS": "150"}, capture_output=True, text=True, check=True)
    assert re.search(r"ordinary@1 .* procedural .* ≤ 512 .* good", result.stdout)


def card_of(folder: Path) -> GenerationCard:
    return read_generation_card(folder, read_config(folder))

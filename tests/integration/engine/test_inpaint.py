"""`inpaint` in the real Triton, with a tiny random SDXL pipeline in the place of the weights: the code is the same."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from google.protobuf import text_format
from numpy.typing import NDArray

from cards.card import CARD_FILE, read_config
from cards.target import Target
from server.errors import DeadlineExceededError, ModelUnavailableError
from server.generation import Generation, Prompt
from server.triton.generation import GenerationClient
from tests.integration.engine.engine_process import RunningEngine, running_engine
from tests.support.inpaint import write_inpaint
from tests.support.processes import wait_until

ROOT = Path(__file__).parents[3]
GIVEN_UP = "the picture is given up"
STEPS = 3


@pytest.fixture(scope="module")
def repository(pipeline: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed model with pulled weights, and a few-step variant of it by its card alone."""
    repository = tmp_path_factory.mktemp("inpaint")
    write_inpaint(repository, pipeline)
    few = write_inpaint(
        repository,
        pipeline,
        "few",
        scheduler="LCMScheduler",
        scheduler_options='{"original_inference_steps": 20}',
        default_steps="4",
        call='{"guidance_scale": 1.0, "strength": 1.0}',
    )
    assert (few / "weights").is_dir()
    return repository


@pytest.fixture(scope="module")
def engine(repository: Path, diffusion_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    with running_engine(repository, diffusion_env, tmp_path_factory.mktemp("engine")) as engine:
        yield engine


@dataclass(frozen=True)
class Painted:
    """A picture, and the progress on the way to it."""

    generation: Generation
    heard: list[float]

    @property
    def image(self) -> NDArray[np.uint8]:
        return self.generation.image


def order(height: int = 64, width: int = 96) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Noise of which the left half is to be painted."""
    image = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    mask[:, : width // 2] = 255
    return image, mask


def paint(
    engine: RunningEngine, *, words: str = "a red beach", seed: int = 3, steps: int = STEPS, within_s: float = 90.0,
    model: str = "inpaint", size: tuple[int, int] = (64, 96),
) -> Painted:  # fmt: skip
    heard: list[float] = []
    bound = GenerationClient(engine.address).model(Target(model), time.monotonic() + within_s)
    return Painted(bound.generate(Prompt(words, "rain", seed, steps), *order(*size), on_progress=heard.append), heard)


class EnoughError(Exception):
    """The caller turns away."""


class Caller(Thread):
    """Asks for a picture that takes for ever, until it is told that it is enough; `error` is what it got."""

    def __init__(self, engine: RunningEngine) -> None:
        super().__init__(daemon=True)
        self._address = engine.address
        self.enough = Event()
        self.painted = Event()
        self.error: Exception | None = None

    def run(self) -> None:
        bound = GenerationClient(self._address).model(Target("inpaint"), time.monotonic() + 90)
        try:
            bound.generate(Prompt("a wall", "", 1, 100_000), *order(), on_progress=self._hear)
        except (EnoughError, ModelUnavailableError) as error:
            self.error = error

    def _hear(self, _done: float) -> None:
        self.painted.set()
        if self.enough.is_set():
            raise EnoughError


def test_it_says_what_it_is_and_where_it_runs(engine: RunningEngine) -> None:
    bound = GenerationClient(engine.address).model(Target("inpaint"), time.monotonic() + 30)
    assert (bound.method, bound.max_side, bound.multiple) == ("diffusion", 1024, 32)
    assert engine.logged(r"model inpaint@1 is served on (cpu/diffusers/fp32|gpu/diffusers/fp16)")


def test_the_seed_decides_and_nothing_else_changes_the_picture(engine: RunningEngine) -> None:
    first, second = paint(engine), paint(engine)
    assert np.array_equal(first.image, second.image)
    assert not np.array_equal(first.image, paint(engine, seed=4).image)
    assert not np.array_equal(first.image, paint(engine, seed=2**64 - 1).image)


def test_words_and_steps_matter(engine: RunningEngine) -> None:
    first = paint(engine)
    assert not np.array_equal(first.image, paint(engine, words="a green hill").image)
    assert not np.array_equal(first.image, paint(engine, steps=STEPS + 1).image)


@pytest.mark.parametrize("size", [(64, 96), (96, 32)])
def test_only_the_mask_is_painted_at_exactly_the_size_that_was_asked_for(
    engine: RunningEngine, size: tuple[int, int]
) -> None:
    image, mask = order(*size)
    painted = paint(engine, size=size).image
    assert np.array_equal(painted[mask == 0], image[mask == 0])
    assert not np.array_equal(painted[mask == 255], image[mask == 255])


@pytest.mark.parametrize("steps", [1, STEPS])
def test_progress_rises_step_by_step_to_the_end(engine: RunningEngine, steps: int) -> None:
    heard = paint(engine, steps=steps).heard
    assert heard == pytest.approx([(step + 1) / (steps + 1) for step in range(steps + 1)])


def test_the_card_alone_makes_a_few_step_variant(engine: RunningEngine) -> None:
    painted = paint(engine, model="few", steps=0)
    assert len(painted.heard) == 4 + 1
    assert np.array_equal(painted.image, paint(engine, model="few", steps=0).image)
    assert not np.array_equal(painted.image, paint(engine, steps=4).image)


def test_a_deadline_frees_the_model_within_a_step(engine: RunningEngine) -> None:
    before = given_up(engine)
    with pytest.raises(DeadlineExceededError):
        paint(engine, steps=100_000, within_s=2)
    wait_until(lambda: given_up(engine) > before, "the model breaks off")
    assert paint(engine, steps=1).image.any()


def test_the_supervisor_is_answered_while_a_picture_is_painted(engine: RunningEngine) -> None:
    """A model that only answered between pictures would be taken for hung, and killed."""
    before = given_up(engine)
    (caller := Caller(engine)).start()
    assert caller.painted.wait(60)
    first = answered(engine)
    wait_until(lambda: answered(engine) > first + 1, "the supervisor's questions are answered")
    assert caller.is_alive()
    caller.enough.set()
    wait_until(lambda: given_up(engine) > before, "the model breaks off")
    caller.join(60)


def test_more_than_may_wait_is_refused_at_once(repository: Path, diffusion_env: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "inpaint"
    shutil.copytree(repository / "inpaint", folder, ignore=shutil.ignore_patterns("__pycache__"))
    config = read_config(folder)
    config.parameters["max_waiting"].string_value = "1"
    (folder / CARD_FILE).write_text(text_format.MessageToString(config))
    with running_engine(tmp_path / "models", diffusion_env, tmp_path) as engine:
        first, *others = callers = [Caller(engine) for _ in range(3)]
        first.start()
        assert first.painted.wait(60)
        for caller in others:
            caller.start()
        wait_until(lambda: any(caller.error for caller in others), "one of the others is refused")
        for caller in callers:
            caller.enough.set()
        for caller in callers:
            caller.join(60)
    assert isinstance(first.error, EnoughError)
    assert {type(caller.error) for caller in others} == {EnoughError, ModelUnavailableError}


def given_up(engine: RunningEngine) -> int:
    """How many pictures were broken off because nobody waited."""
    return engine.triton_log.read_text().count(GIVEN_UP)


def answered(engine: RunningEngine) -> int:
    """How many requests the model has answered."""
    count: int = engine.client.get_inference_statistics("inpaint").model_stats[0].inference_stats.success.count
    return count

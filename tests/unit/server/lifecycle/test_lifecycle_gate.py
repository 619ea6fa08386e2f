"""The gate's own work: which version works on which picture, and when."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cards.target import Target
from evaluation.scores import Score
from server.errors import DeadlineExceededError, ModelRefusedError, ModelUnavailableError, OverloadedError, ServiceError
from server.lifecycle.gate import GoldenGate
from server.workers.workspace import Workspace
from tests.unit.server.lifecycle.world import ONE, TWO, measured

SCORE = measured().scores["a"]


class FakeMattes:
    """Writes the version's name as its matte, and takes as many seconds as its number says."""

    def __init__(self) -> None:
        self.asked: list[tuple[Target, str]] = []
        self.fault: ServiceError | None = None

    async def make(self, target: Target, source: Path, file: Path) -> float:
        self.asked.append((target, source.stem))
        if self.fault is not None:
            raise self.fault
        file.write_text(str(target))
        return float(target.version)

    async def scores(self, mattes: Mapping[str, tuple[Path, Path]]) -> dict[str, Score]:
        found = {}
        for name, (matte, truth) in mattes.items():
            assert truth.stem == name
            found[name] = measured(mae=0.1 * int(matte.read_text()[-1])).scores["a"]
        return found

    async def difference(self, first: Path, second: Path) -> float:
        raise AssertionError("the gate compares with the truth")


@pytest.fixture
def mattes() -> FakeMattes:
    return FakeMattes()


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    folder = tmp_path / "golden"
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
        for name in ("a", "b", "c"):
            (folder / kind / f"{name}.png").touch()
    return folder


@pytest.fixture
def gate(golden: Path, mattes: FakeMattes, tmp_path: Path) -> Iterator[GoldenGate]:
    scratch = Workspace(tmp_path / "scratch")
    yield GoldenGate(golden, mattes, scratch)
    assert not list(scratch.root.iterdir())
    scratch.close()


async def test_both_versions_work_on_each_picture_in_turn(gate: GoldenGate, mattes: FakeMattes) -> None:
    trial = await gate.compare(TWO, ONE)
    turns = [(ONE, "a"), (TWO, "a"), (TWO, "b"), (ONE, "b"), (ONE, "c"), (TWO, "c")]
    assert mattes.asked == turns
    assert trial.new.seconds == {"a": (2.0,), "b": (2.0,), "c": (2.0,)}
    assert trial.old.seconds == {"a": (1.0,), "b": (1.0,), "c": (1.0,)}
    assert trial.new.mean.mae == pytest.approx(0.2)
    assert trial.old.mean.mae == pytest.approx(0.1)


async def test_a_version_is_asked_once_before_it_is_judged(gate: GoldenGate, mattes: FakeMattes) -> None:
    assert await gate.ask(TWO) == "isnet@2 answers in 2000 ms"
    assert mattes.asked == [(TWO, "a")]


async def test_a_version_that_does_not_answer_is_refused(gate: GoldenGate, mattes: FakeMattes) -> None:
    mattes.fault = ModelUnavailableError("No answer.")
    with pytest.raises(ModelRefusedError, match="isnet@2 does not work on 'a'"):
        await gate.ask(TWO)


async def test_a_worker_that_is_never_free_is_no_fault_of_the_version(gate: GoldenGate, mattes: FakeMattes) -> None:
    mattes.fault = DeadlineExceededError("The deadline passed before the result was ready.")
    with pytest.raises(OverloadedError, match="busy"):
        await gate.compare(TWO, ONE)


async def test_without_a_golden_set_nothing_is_judged(mattes: FakeMattes, tmp_path: Path) -> None:
    scratch = Workspace(tmp_path / "scratch")
    gate = GoldenGate(tmp_path / "nothing", mattes, scratch)
    with pytest.raises(ModelRefusedError, match="nothing to judge by"):
        await gate.compare(TWO, ONE)
    scratch.close()

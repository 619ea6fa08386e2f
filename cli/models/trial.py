"""A set of pictures through the gRPC service, by one model or by several in turn, and held against the truth."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import grpc.aio
import numpy as np
from clearcanvas.v1 import images_pb2, images_pb2_grpc
from numpy.typing import NDArray

from cards.target import Target
from evaluation.errors import EvaluationError
from evaluation.samples import Sample, read_mask
from evaluation.scores import Score, score
from evaluation.sheet import Case
from evaluation.verdict import Measured

_KEPT = 8  # Cases on a contact sheet.


@dataclass
class Trial:
    """What one model did with a set.

    `target`: the version that was meant. `answered`: what the service says made the mattes, as versions may share a
    name. `device`: where it ran. `infer_s`, `call_s`: by picture, seconds of each inference and of each whole call.
    `worst`: the cases with the largest mean absolute error, worst first.
    """

    target: Target
    device: str = ""
    answered: set[Target] = field(default_factory=set)
    scores: dict[str, Score] = field(default_factory=dict)
    infer_s: dict[str, tuple[float, ...]] = field(default_factory=dict)
    call_s: dict[str, tuple[float, ...]] = field(default_factory=dict)
    worst: list[Case] = field(default_factory=list)
    memory_bytes: int | None = None

    @property
    def measured(self) -> Measured:
        """What the verdict is about."""
        return Measured(self.scores, self.infer_s)

    def take(self, sample: Sample, matte: NDArray[np.uint8], found: Score) -> None:
        """Note the score of a matte."""
        self.scores[sample.name] = found
        self.worst.append(Case(sample, matte, found))
        self.worst.sort(key=lambda case: -case.score.mae)
        del self.worst[_KEPT:]


@dataclass(frozen=True)
class _Answer:
    header: images_pb2.EditHeader
    mask: bytes
    call_s: float


async def run_trials(
    stub: "images_pb2_grpc.ImageServiceAsyncStub",  # A name of the type stubs alone.
    names: Mapping[Target, str],
    samples: Sequence[Sample],
    rounds: int,
    advance: Callable[[], None],
) -> list[Trial]:
    """Have each model make the matte of each picture `rounds` times, and hold it against the truth.

    `names`: what to ask for, by version. The models take turns, so that whatever else the machine does falls on all of
    them alike; the first calls, in which caches are filled, do not count. `advance` hears of each picture.

    Raises:
        EvaluationError: a picture was refused or failed, or its mask cannot be used.
    """
    trials = {target: Trial(target) for target in names}
    for name in names.values():
        await _ask(stub, name, samples[0])
    for sample in samples:
        answers: dict[Target, list[_Answer]] = {target: [] for target in names}
        for number in range(rounds):
            # Now the one goes first, now the other.
            for target in list(names)[:: -1 if number % 2 else 1]:
                answers[target].append(await _ask(stub, names[target], sample))
        for target, given in answers.items():
            await _note(trials[target], sample, given)
        advance()
    return list(trials.values())


async def _note(trial: Trial, sample: Sample, answers: Sequence[_Answer]) -> None:
    last = answers[-1]
    trial.device = last.header.device
    trial.answered |= {Target(answer.header.model, answer.header.model_version) for answer in answers}
    trial.infer_s[sample.name] = tuple(_infer_s(answer.header) for answer in answers)
    trial.call_s[sample.name] = tuple(answer.call_s for answer in answers)
    matte, found = await asyncio.to_thread(_score, last.mask, sample)
    trial.take(sample, matte, found)


def _score(mask: bytes, sample: Sample) -> tuple[NDArray[np.uint8], Score]:
    matte = np.asarray(cv2.imdecode(np.frombuffer(mask, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)
    try:
        return matte, score(matte, read_mask(sample.mask))
    except EvaluationError as error:
        raise EvaluationError(f"{sample.mask}: {error}") from error


async def _ask(stub: "images_pb2_grpc.ImageServiceAsyncStub", name: str, sample: Sample) -> _Answer:
    request = images_pb2.EditRequest(image=await asyncio.to_thread(sample.image.read_bytes), model=name)
    request.output.kind = images_pb2.OUTPUT_KIND_MASK
    header, mask = images_pb2.EditHeader(), bytearray()
    began = time.perf_counter()
    try:
        async for response in stub.Edit(request):
            if response.HasField("header"):
                header = response.header
            mask += response.chunk
    except grpc.aio.AioRpcError as error:
        raise EvaluationError(f"{sample.image}: {error.details() or error.code().name}") from error
    return _Answer(header, bytes(mask), time.perf_counter() - began)


def _infer_s(header: images_pb2.EditHeader) -> float:
    return sum(stage.seconds for stage in header.stages if stage.name == "infer")

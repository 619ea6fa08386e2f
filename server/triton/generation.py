"""The generation model as a worker sees it: a blocking call to Triton.

Ordinary models answer once. Decoupled ones answer through a stream: PROGRESS (and an empty IMAGE) on the way, IMAGE
with the last. Either call ends with the task's deadline; a call that ends early, also because its worker was killed,
is cancelled in Triton.
"""

import logging
import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass

import grpc
import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferResult, service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

from cards.target import Target
from server.errors import DeadlineExceededError
from server.generation import Generation, Progress, Prompt, no_progress
from server.triton.contract import CHANNEL_OPTIONS, outside_contract, translate, triton_version
from server.triton.painting import (
    GenerationFacts,
    read_generation_facts,
    read_image,
    read_progress,
    read_where,
    sheet_size,
    write_request,
)
from server.triton.regions import CONTROL_TIMEOUT_S, Region
from server.triton.sheets import Sheets

logger = logging.getLogger(__name__)


class GenerationClient:
    """One worker's connection to Triton's generation models, with what it has learned. Not for threads."""

    def __init__(self, address: str, sheets: Sheets | None = None) -> None:
        """`sheets`: shared memory to hand large pictures over in; None sends all of them through gRPC."""
        self._sheets = sheets
        self._triton = service_pb2_grpc.GRPCInferenceServiceStub(
            grpc.insecure_channel(address, options=CHANNEL_OPTIONS)
        )
        self._facts: dict[Target, GenerationFacts] = {}

    def model(self, target: Target, deadline: float) -> "TritonGenerationModel":
        """A version of a model, for one task that must be done by `deadline` (time.monotonic).

        Raises `ModelNotFoundError`, `ModelUnavailableError`, `DeadlineExceededError`, and `InvalidParameterError`
        when the model paints no pictures.
        """
        if target not in self._facts:
            question = service_pb2.ModelConfigRequest(name=target.model, version=triton_version(target))
            with self._translated(target, deadline):
                answer = self._triton.ModelConfig(question, timeout=_time_left(deadline))
            self._facts[target] = read_generation_facts(answer.config, target.version)
        return TritonGenerationModel(self, self._facts[target], deadline)

    def generate(
        self,
        facts: GenerationFacts,
        prompt: Prompt,
        image: NDArray[np.uint8],
        mask: NDArray[np.uint8],
        *,
        deadline: float,
        on_progress: Progress,
    ) -> Generation:
        """One generation. See `TritonGenerationModel.generate`."""
        target = Target(facts.name, facts.version)
        ask = self._stream if facts.decoupled else self._ask
        try:
            with self._translated(target, deadline), self._sheet(facts, sheet_size(image, mask)) as sheet:
                request = write_request(facts, prompt, image, mask, sheet)
                # Closed, and so cancelled, at once: an error that is kept would keep the call going.
                with closing(ask(request, deadline)) as answers:
                    return _read(answers, facts, image.shape, on_progress, sheet)
        except BaseException:
            # The model may have been swapped for another one.
            self._facts.pop(target, None)
            raise

    def _sheet(self, facts: GenerationFacts, size: int) -> AbstractContextManager[Region | None]:
        # Each answer of a stream would be written into it, and such models paint for so long that it would not pay.
        return nullcontext() if self._sheets is None or facts.decoupled else self._sheets.lent(size)

    def _ask(self, request: service_pb2.ModelInferRequest, deadline: float) -> Generator[InferResult, None, None]:
        yield InferResult(self._triton.ModelInfer(request, timeout=_time_left(deadline)))

    def _stream(self, request: service_pb2.ModelInferRequest, deadline: float) -> Generator[InferResult, None, None]:
        call = self._triton.ModelStreamInfer(iter([request]), timeout=_time_left(deadline))
        try:
            for answer in call:
                if answer.error_message:
                    raise InferenceServerException(answer.error_message)
                yield InferResult(answer.infer_response)
        finally:
            call.cancel()

    @contextmanager
    def _translated(self, target: Target, deadline: float) -> Iterator[None]:
        try:
            yield
        except (grpc.RpcError, InferenceServerException) as error:
            failure = _failure(error)
            logger.warning("model %s: %s %s", target, failure.status(), failure.message())
            if time.monotonic() >= deadline:
                raise DeadlineExceededError("The deadline passed before the result was ready.") from None
            raise translate(failure, target, listed=self._listed(target.model), field="generated.model") from None

    def _listed(self, model: str) -> bool:
        try:
            index = self._triton.RepositoryIndex(service_pb2.RepositoryIndexRequest(), timeout=CONTROL_TIMEOUT_S)
        except grpc.RpcError:
            return True
        # One without a state lies in the repository and was never to be served: it lacks weights or packages.
        return any(entry.name == model and entry.state for entry in index.models)


@dataclass(frozen=True)
class TritonGenerationModel:
    """A `server.generation.GenerationModel` for one task: it knows when the task must be done."""

    client: GenerationClient
    facts: GenerationFacts
    deadline: float

    @property
    def name(self) -> str:
        """Name of the model in the repository."""
        return self.facts.name

    @property
    def method(self) -> str:
        """How it makes pictures: `procedural` or `diffusion`."""
        return self.facts.method

    @property
    def max_side(self) -> int:
        """Longest side that it paints, in pixels."""
        return self.facts.max_side

    @property
    def multiple(self) -> int:
        """Both sides must be multiples of this many pixels."""
        return self.facts.multiple

    def generate(
        self,
        prompt: Prompt,
        image: NDArray[np.uint8],
        mask: NDArray[np.uint8],
        on_progress: Progress = no_progress,
    ) -> Generation:
        """Paint `image`, (H, W, 3) uint8 sRGB, where `mask`, (H, W) uint8, is 255.

        Raises `ModelUnavailableError` when Triton does not answer, or not as the contract says, and
        `DeadlineExceededError` when the task's time is up.
        """
        return self.client.generate(self.facts, prompt, image, mask, deadline=self.deadline, on_progress=on_progress)


def _read(
    answers: Iterator[InferResult],
    facts: GenerationFacts,
    shape: tuple[int, ...],
    on_progress: Progress,
    sheet: Region | None,
) -> Generation:
    done, generation = 0.0, None
    for answer in answers:
        if (progress := read_progress(answer, facts)) is not None and progress > done:
            done = progress
            on_progress(done)
        image = read_image(answer, facts, shape, sheet)
        if image is not None:
            generation = Generation(image, read_where(answer, facts))
    if generation is None:
        raise outside_contract(facts.name)
    return generation


def _time_left(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise DeadlineExceededError("The deadline passed before the result was ready.")
    return left_s


def _failure(error: grpc.RpcError | InferenceServerException) -> InferenceServerException:
    if isinstance(error, InferenceServerException):
        return error
    return InferenceServerException(error.details() or "", status=str(error.code()))

"""The matting model as a worker sees it: a blocking call to Triton."""

import logging
import time
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from cards.target import Target
from server.errors import DeadlineExceededError
from server.matting import Matte
from server.triton.contract import (
    ALPHA,
    CHANNEL_OPTIONS,
    IMAGE,
    ModelFacts,
    answered_version,
    check_alpha,
    read_device,
    read_facts,
    translate,
    triton_version,
)
from server.triton.regions import CONTROL_TIMEOUT_S, Region
from server.triton.tracing import trace_words

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TritonOptions:
    """How a worker reaches Triton."""

    address: str
    timeout_s: float  # longest one inference may take
    region_prefix: str | None  # begins the names of shared-memory regions; None sends pictures through gRPC


class TritonClient:
    """One worker's connection to Triton, with what it has learned and its shared memory. Not for threads."""

    def __init__(self, options: TritonOptions, owner: int) -> None:
        """`owner`: process id that goes into the names of the regions."""
        self._options = options
        self._owner = owner
        self._client = InferenceServerClient(options.address, channel_args=CHANNEL_OPTIONS)
        self._facts: dict[Target, ModelFacts] = {}
        self._regions: dict[str, Region] = {}
        self._abandoned: list[Region] = []
        self._numbers = count()

    def model(self, target: Target, deadline: float) -> "TritonModel":
        """A version of a model, for one task that must be done by `deadline` (time.monotonic).

        Raises `ModelNotFoundError`, `ModelUnavailableError`, `DeadlineExceededError`.
        """
        if target not in self._facts:
            timeout_s = self._time_left(deadline)
            version = triton_version(target)
            try:
                metadata = self._client.get_model_metadata(target.model, version, client_timeout=timeout_s)
                config = self._client.get_model_config(target.model, version, client_timeout=timeout_s).config
            except InferenceServerException as error:
                raise self._failure(error, target, deadline) from None
            self._facts[target] = read_facts(target, metadata, config)
        return TritonModel(self, self._facts[target], deadline)

    def infer(self, facts: ModelFacts, image: NDArray[np.uint8], deadline: float) -> Matte:
        """One inference. `image`: (H, W, 3) uint8 sRGB of the model's size. See `TritonModel.infer`."""
        if image.shape != (*facts.size, 3) or image.dtype != np.uint8:
            raise ValueError(f"the model takes uint8 {(*facts.size, 3)}, not {image.dtype} {image.shape}")
        try:
            return self._infer(facts, image, deadline)
        except InferenceServerException as error:
            restarted = self._forgotten()
            self._abandon(facts)
            if not restarted:
                raise self._failure(error, facts.target, deadline) from None
        logger.info("Triton was restarted; registering shared memory again")
        try:
            return self._infer(facts, image, deadline)
        except InferenceServerException as error:
            self._abandon(facts)
            raise self._failure(error, facts.target, deadline) from None

    def _infer(self, facts: ModelFacts, image: NDArray[np.uint8], deadline: float) -> Matte:
        tensor = InferInput(IMAGE, [1, *image.shape], "UINT8")
        alpha = InferRequestedOutput(ALPHA)
        answer = None
        if self._options.region_prefix is None:
            tensor.set_data_from_numpy(image[np.newaxis])
        else:
            height, width = facts.size
            source = self._region("in", image.nbytes)
            source.array(image.shape)[...] = image
            source.point(tensor, image.nbytes)
            answer = self._region("out", height * width)
            answer.point(alpha, height * width)
        outputs = [alpha, *(InferRequestedOutput(name) for name in facts.outputs if name != ALPHA)]
        result = self._client.infer(
            facts.target.model,
            [tensor],
            triton_version(facts.target),
            outputs=outputs,
            client_timeout=self._time_left(deadline),
            **trace_words(),
        )
        check_alpha(result, facts)
        matte = result.as_numpy(ALPHA)[0] if answer is None else answer.array(facts.size).copy()
        return Matte(matte, read_device(result, facts), answered_version(result))

    def _region(self, kind: str, size: int) -> Region:
        region = self._regions.get(kind)
        if region is None or region.size < size:
            if region is not None:
                self._abandoned.append(region)
            self._abandoned = [old for old in self._abandoned if not old.release(self._client)]
            name = f"{self._options.region_prefix}-{self._owner}-{next(self._numbers)}-{kind}"
            region = self._regions[kind] = Region(self._client, name, size)
        return region

    def _abandon(self, facts: ModelFacts) -> None:
        """Forget the model and our regions after a failure.

        The model may have been swapped for one of another size. And an inference that ran out of time may still
        end later and write its alpha, which must not become the next picture's.
        """
        self._facts.pop(facts.target, None)
        self._abandoned.extend(self._regions.values())
        self._regions.clear()

    def _forgotten(self) -> bool:
        """Whether Triton answers and no longer knows our regions."""
        try:
            return any(not region.known(self._client) for region in self._regions.values())
        except InferenceServerException:
            return False

    def _time_left(self, deadline: float) -> float:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise DeadlineExceededError("The deadline passed before the result was ready.")
        return min(left_s, self._options.timeout_s)

    def _failure(self, error: InferenceServerException, target: Target, deadline: float) -> Exception:
        logger.warning("model %s: %s %s", target, error.status(), error.message())
        if time.monotonic() >= deadline:
            return DeadlineExceededError("The deadline passed before the result was ready.")
        return translate(error, target, listed=self._listed(target))

    def _listed(self, target: Target) -> bool:
        try:
            index = self._client.get_model_repository_index(client_timeout=CONTROL_TIMEOUT_S)
        except InferenceServerException:
            return True
        return any(entry.name == target.model for entry in index.models)


@dataclass(frozen=True)
class TritonModel:
    """A `server.matting.MattingModel` for one task: it knows when the task must be done."""

    client: TritonClient
    facts: ModelFacts
    deadline: float

    @property
    def name(self) -> str:
        """Name of the model in the repository."""
        return self.facts.target.model

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture it takes."""
        return self.facts.size

    def infer(self, image: NDArray[np.uint8]) -> Matte:
        """The matte of `image`, (H, W, 3) uint8 sRGB of `size`.

        Raises `ModelUnavailableError` when Triton does not answer, or not as the contract says, and
        `DeadlineExceededError` when the task's time is up.
        """
        return self.client.infer(self.facts, image, self.deadline)

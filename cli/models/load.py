"""Load on a model at Triton: a fixed number of requests in flight, each sent when the one before it is answered."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tritonclient.grpc.aio as triton
from tritonclient.utils import InferenceServerException

from engine.models.canary import canary_picture
from evaluation.errors import EvaluationError

_LIMIT_S = 120.0  # Of one request; the slowest network on a CPU answers in seconds.


@dataclass(frozen=True)
class Level:
    """What was seen with so many requests in flight.

    `seconds`: of each request, as its sender sees it. `rate`: answers a second. `compute_s`: the mean of the work in
    the model, as Triton counts it; the rest is waiting and transport.
    """

    in_flight: int
    seconds: Sequence[float]
    rate: float
    compute_s: float


class Loader:
    """Asks one version of a model that a Triton serves. `version`: "" for the one that it serves of itself."""

    def __init__(self, client: triton.InferenceServerClient, name: str, version: str = "") -> None:
        self._client, self._name, self._version = client, name, version
        self._image = triton.InferInput("IMAGE", [], "UINT8")
        self._outputs = [triton.InferRequestedOutput("ALPHA")]
        self.device = "unknown"

    async def prepare(self) -> None:
        """Find out what the model takes, and ask it once: networks are made ready at their first picture.

        Raises:
            EvaluationError: it is none of the contract, or does not answer.
        """
        try:
            metadata = await self._client.get_model_metadata(self._name, self._version, client_timeout=_LIMIT_S)
            shapes = {tensor.name: list(tensor.shape) for tensor in metadata.inputs}
            if "IMAGE" not in shapes or "ALPHA" not in {tensor.name for tensor in metadata.outputs}:
                raise EvaluationError(f"{self._name} is no matting model.")
            picture = canary_picture(*shapes["IMAGE"][-3:-1])[None]
            self._image = triton.InferInput("IMAGE", list(picture.shape), "UINT8")
            self._image.set_data_from_numpy(np.ascontiguousarray(picture))
            if "DEVICE" in {tensor.name for tensor in metadata.outputs}:
                result = await self._infer([triton.InferRequestedOutput("DEVICE")])
                self.device = result.as_numpy("DEVICE").flat[0].decode()
            await self._infer(self._outputs)
        except InferenceServerException as error:
            raise EvaluationError(f"{self._name} does not answer: {error.message()}") from error

    async def measure(self, in_flight: int, duration_s: float) -> Level:
        """Keep `in_flight` requests at work for `duration_s` seconds, and until the last of them is answered.

        Raises:
            EvaluationError: a request fails.
        """
        seconds: list[float] = []
        before, began = await self._computed_ns(), time.perf_counter()

        async def work() -> None:
            while (started := time.perf_counter()) < began + duration_s:
                await self._infer(self._outputs)
                seconds.append(time.perf_counter() - started)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(in_flight):
                    group.create_task(work())
        except* InferenceServerException as errors:
            raise EvaluationError(f"{self._name} failed: {errors.exceptions[0]}") from errors
        elapsed, after = time.perf_counter() - began, await self._computed_ns()
        return Level(in_flight, seconds, len(seconds) / elapsed, (after - before) / 1e9 / len(seconds))

    async def _infer(self, outputs: list[triton.InferRequestedOutput]) -> triton.InferResult:
        return await self._client.infer(
            self._name, [self._image], self._version, outputs=outputs, client_timeout=_LIMIT_S
        )

    async def _computed_ns(self) -> int:
        """Nanoseconds that the model has worked. The engine's questions for its device hardly add to them."""
        found = await self._client.get_inference_statistics(self._name, self._version, client_timeout=_LIMIT_S)
        return int(found.model_stats[0].inference_stats.compute_infer.ns)


def open_client(address: str) -> triton.InferenceServerClient:
    """A connection to the Triton at `address`; close it, or use it as a context manager."""
    return triton.InferenceServerClient(address, channel_args=[("grpc.enable_http_proxy", 0)])

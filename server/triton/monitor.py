"""The service's view of Triton: does the default model answer, where does it run, what does it hold for nobody."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tritonclient.grpc import InferInput, InferRequestedOutput, InferResult
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from cards.target import Target
from server.errors import ModelUnavailableError, ServiceError
from server.triton.contract import (
    CHANNEL_OPTIONS,
    IMAGE,
    RECONNECT_S,
    ModelFacts,
    check_alpha,
    read_device,
    read_facts,
    translate,
    triton_version,
)
from server.triton.model import TritonOptions
from server.triton.regions import CONTROL_TIMEOUT_S, SHARED_MEMORY

logger = logging.getLogger(__name__)

HEALTHY_PAUSE_S = 2.0
FAILING_PAUSE_S = 0.5
REGION = re.compile(r"(?P<workspace>clearcanvas-\d+-[a-z0-9_]+)-(?P<worker>\d+)-\d+-(in|out|sheet)")


@dataclass(frozen=True)
class ModelState:
    """What is known of the default model at one Triton."""

    target: Target  # what its name stands for
    serving: bool = False
    device: str = ""  # where its last canary ran; empty before the first


class ModelMonitor:
    """Looks after the default model, and tells when it begins or stops to answer.

    While all is well it only asks whether the model is ready, every two seconds. At the start, after a failure and
    whenever `suspect` is called it runs an inference (a canary): a model whose process died is still "ready".
    """

    def __init__(self, triton: TritonOptions, target: Callable[[], Target], require_device: str) -> None:
        """`target`: what the default model's name stands for now. `require_device`: `any`, or what it must begin with.

        Call it inside the running event loop.
        """
        self.state = ModelState(target())
        self._target = target
        self._doubted = False
        self._client = InferenceServerClient(triton.address, channel_args=CHANNEL_OPTIONS)
        self._address = triton.address
        self._timeout_s = triton.timeout_s
        self._region_prefix = triton.region_prefix
        self._require_device = require_device
        self._suspected = asyncio.Event()

    @property
    def target(self) -> Target:
        """What it looks after: what the default model's name stands for now."""
        return self._target()

    @property
    def well(self) -> bool:
        """Whether it serves, and nobody has said otherwise since its last canary."""
        return self.state.serving and not self._doubted

    def suspect(self) -> None:
        """Say that the model failed somewhere: the next look is a canary, and it is now."""
        self._doubted = True
        self._suspected.set()

    async def run(self, on_change: Callable[[ModelState], Awaitable[None]]) -> None:
        """Look, for ever; call `on_change` with each new state."""
        while True:
            state = await self._look()
            if state != self.state:
                if state.serving:
                    # A worker that asked just before Triton was there would still answer that it is not.
                    await asyncio.sleep(RECONNECT_S)
                self.state = state
                await on_change(state)
            try:
                async with asyncio.timeout(HEALTHY_PAUSE_S if state.serving else FAILING_PAUSE_S):
                    await self._suspected.wait()
            except TimeoutError:
                continue

    async def lists(self, model: str) -> bool | None:
        """Whether Triton holds a model of that name; None while it is away."""
        try:
            index = await self._client.get_model_repository_index(client_timeout=CONTROL_TIMEOUT_S)
        except InferenceServerException:
            return None
        return any(entry.name == model for entry in index.models)

    async def close(self) -> None:
        """Have Triton forget this server's shared memory, and disconnect."""
        try:
            await self._unregister_abandoned(everything=True)
        except InferenceServerException:
            logger.info("Triton is away; its shared memory went with it")
        await self._client.close()

    async def _look(self) -> ModelState:
        target = self.target
        try:
            if self.well and target == self.state.target:
                version = triton_version(target)
                if not await self._client.is_model_ready(target.model, version, client_timeout=CONTROL_TIMEOUT_S):
                    raise ModelUnavailableError(f"The model {target} is not ready.")
                device = self.state.device
            else:
                self._suspected.clear()
                device = await self._canary(target)
                self._doubted = self._suspected.is_set()
            await self._unregister_abandoned()
        except InferenceServerException as error:
            return self._failing(translate(error, target, listed=True), f"{error.status()} {error.message()}", target)
        except ServiceError as error:
            return self._failing(error, error.reason, target)
        if self._require_device != "any" and device.split("/")[0] != self._require_device:
            if device != self.state.device:
                logger.error("model %s runs on %s, but %s is required", target.model, device, self._require_device)
            return ModelState(target, serving=False, device=device)
        if not self.state.serving:
            logger.info("model %s answers on %s at %s", target, device, self._address)
        return ModelState(target, serving=True, device=device)

    def _failing(self, error: ServiceError, details: str, target: Target) -> ModelState:
        if self.state.serving:
            logger.error("%s: %s (%s)", self._address, error, details)
        return ModelState(target, serving=False, device=self.state.device)

    async def _canary(self, target: Target) -> str:
        """Run one inference on a black picture and return where it ran."""
        name, version = target.model, triton_version(target)
        metadata = await self._client.get_model_metadata(name, version, client_timeout=CONTROL_TIMEOUT_S)
        config = await self._client.get_model_config(name, version, client_timeout=CONTROL_TIMEOUT_S)
        facts = read_facts(target, metadata, config.config)
        result = await self._infer_black(facts)
        check_alpha(result, facts)
        return read_device(result, facts)

    async def _infer_black(self, facts: ModelFacts) -> InferResult:
        image = InferInput(IMAGE, [1, *facts.size, 3], "UINT8")
        image.set_data_from_numpy(np.zeros((1, *facts.size, 3), np.uint8))
        outputs = [InferRequestedOutput(name) for name in facts.outputs]
        target = facts.target
        return await self._client.infer(
            target.model, [image], triton_version(target), outputs=outputs, client_timeout=self._timeout_s
        )

    async def _unregister_abandoned(self, *, everything: bool = False) -> None:
        """Give back what Triton maps for workers that are gone: this server's, and those of servers that are dead."""
        if self._region_prefix is None:
            return
        status = await self._client.get_system_shared_memory_status(client_timeout=CONTROL_TIMEOUT_S)
        for name in status.regions:
            mine = name.startswith(f"{self._region_prefix}-")
            if (mine and everything) or _abandoned(name, mine=mine):
                with suppress(InferenceServerException):  # Still in use by an inference: the next look asks again.
                    await self._client.unregister_system_shared_memory(name, client_timeout=CONTROL_TIMEOUT_S)


def _abandoned(region: str, *, mine: bool) -> bool:
    """Whether the worker of a region of this server, or the server of another, is dead. False for foreign names."""
    match = REGION.fullmatch(region)
    if match is None:
        return False
    return not (Path("/proc", match["worker"]) if mine else SHARED_MEMORY / match["workspace"]).exists()

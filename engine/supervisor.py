"""Keeps Triton answering: notices what Triton does not, and brings models or the whole server back."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from engine.client import ModelState, TritonClient, TritonError
from engine.errors import EngineError
from engine.pulse import Pulse
from engine.triton import EXIT_TIMEOUT_S, TritonProcess

logger = logging.getLogger(__name__)

TICK_S = 0.5
SILENCE_S = 4.0
"""Seconds without an answer from tritonserver's gRPC service, which needs no model, after which it is hung."""
_RELOADS = 3
"""Attempts to bring one model back before the whole server is started again."""


@dataclass(frozen=True)
class Limits:
    """`start_s`: longest start of Triton or load of a model. `hang_s`: longest time that one execution may take."""

    start_s: float
    hang_s: float


class Supervisor:
    """One Triton, from its start to its end. `start` launches a process, `connect` a client for it."""

    def __init__(
        self,
        start: Callable[[], TritonProcess],
        connect: Callable[[], TritonClient],
        limits: Limits,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._start_process, self._connect, self._limits = start, connect, limits
        self._clock, self._sleep = clock, sleep
        self._process: TritonProcess | None = None
        self._client: TritonClient | None = None
        self._heard = 0.0
        self._pulses: dict[str, Pulse] = {}
        self._broken: Counter[str] = Counter()

    def start(self) -> None:
        """Start Triton for the first time.

        Raises:
            EngineError: It did not come up, or serves no model.
        """
        client = self._launch()
        states = client.models()
        for state in states:
            if not state.ready:
                logger.error("model %s is not served: %s", state.name, state.reason)
        served = [state.name for state in states if state.ready]
        if not served:
            message = "Triton serves no model: see the reasons above"
            raise EngineError(message)
        for name in served:
            logger.info("model %s is served on %s", name, client.device(name, timeout_s=self._limits.hang_s) or "cpu")

    def run(self) -> None:
        """Watch until interrupted."""
        while True:
            self._sleep(TICK_S)
            self.tick()

    def close(self) -> None:
        """End Triton, with all its stubs and shared memory."""
        if self._client:
            self._client.close()
        if self._process:
            self._process.terminate(patience_s=EXIT_TIMEOUT_S + 0.3)

    def tick(self) -> None:
        """Look once, and heal what is found broken."""
        process, client = self._process, self._client
        if process is None or client is None or not process.alive():
            self._restart("tritonserver has ended")
            return
        try:
            self._look(process, client, client.models())
            self._heard = self._clock()
            for name in list(self._broken):
                self._heal(process, client, name)
        except TritonError as error:
            logger.warning("Triton: %s", error)
            if self._clock() - self._heard > SILENCE_S:
                self._restart("tritonserver does not answer")

    def _look(self, process: TritonProcess, client: TritonClient, states: list[ModelState]) -> None:
        stubs = Counter(stub.model for stub in process.stubs())
        for name in (state.name for state in states if state.ready and state.name not in self._broken):
            if stubs[name] < client.instances(name):
                logger.error("model %s has lost a stub", name)
                self._broken[name] = 0
            elif fault := self._pulses.setdefault(name, Pulse(self._limits.hang_s)).fault(client, name, self._clock()):
                logger.error("model %s %s", name, fault)
                # Unloading would wait for an answer that never comes.
                process.kill_stubs(name)
                self._broken[name] = 0

    def _heal(self, process: TritonProcess, client: TritonClient, name: str) -> None:
        begun = self._clock()
        self._pulses.pop(name, None)
        regions = process.regions()
        try:
            client.reload(name, timeout_s=self._limits.start_s)
            device = client.infer(name, timeout_s=self._limits.hang_s)
        except TritonError as error:
            self._broken[name] += 1
            logger.error("model %s does not come back: %s", name, error)
            if process.alive() and self._broken[name] >= _RELOADS:
                self._restart(f"model {name} cannot be reloaded")
            return
        del self._broken[name]
        process.forget(regions)
        logger.warning("model %s is back on %s after %.1f s", name, device or "cpu", self._clock() - begun)

    def _launch(self) -> TritonClient:
        self._process = process = self._start_process()
        self._client = client = self._connect()
        deadline = self._clock() + self._limits.start_s
        while not client.ready():
            if not process.alive():
                message = f"tritonserver ended while starting: {process.complaint()}"
                raise EngineError(message)
            if self._clock() > deadline:
                message = f"tritonserver did not start in {self._limits.start_s:g} s"
                raise EngineError(message)
            self._sleep(0.05)
        self._heard = self._clock()
        self._pulses.clear()
        self._broken.clear()
        return client

    def _restart(self, reason: str) -> None:
        begun = self._clock()
        logger.error("%s, starting it again", reason)
        if self._client:
            self._client.close()
        if self._process:
            self._process.terminate(patience_s=0)
        self._process = self._client = None
        try:
            client = self._launch()
            for state in client.models():
                if state.ready:
                    client.infer(state.name, timeout_s=self._limits.hang_s)
        except (EngineError, TritonError) as error:
            # The next tick finds it ended, or a model broken, and goes on from there.
            logger.error("Triton is not back: %s", error)
            return
        logger.warning("Triton is back after %.1f s", self._clock() - begun)

"""Keeps Triton answering: notices what Triton does not, and brings back versions of models, or the whole server."""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from cards.target import Target
from engine.client import TritonClient, TritonError
from engine.errors import EngineError
from engine.launch import EXIT_TIMEOUT_S
from engine.pulse import Pulse
from engine.triton import TritonProcess

logger = logging.getLogger(__name__)

TICK_S = 0.5
SILENCE_S = 4.0
"""Seconds without an answer from tritonserver itself, which needs no model for it, after which it is hung."""
RELOADS = 3
"""Failed attempts to bring a model back before the whole server is started again, if nothing else is served."""
PAUSE_S = 2.0
"""Seconds of rest after the first failed attempt; each further one adds as much, up to a minute."""
PATIENCE = 3
"""Times `hang_s` that a canary may take: the first inference also prepares the weights."""


@dataclass(frozen=True)
class Limits:
    """`start_s`: longest start of Triton or load of a model. `hang_s`: longest time that one execution may take."""

    start_s: float
    hang_s: float


@dataclass
class Repair:
    """A version that is being brought back: how often that failed, and when to try again."""

    failures: int = 0
    due: float = 0.0


class Supervisor:
    """One Triton, from its start to its end. `start` launches a process, `connect` makes a client for it."""

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
        self._pulses: dict[Target, Pulse] = {}
        self._repairs: dict[Target, Repair] = {}
        self._served: set[Target] = set()

    def start(self) -> None:
        """Start Triton for the first time.

        Raises:
            EngineError: It did not come up, or serves no model.
        """
        client = self._launch()
        for state in client.models():
            if state.ready:
                self._welcome(client, state.target)
            elif state.reason:
                logger.error("model %s is not served: %s", state.target, state.reason.partition("\n")[0])
        if not self._served:
            message = "Triton serves no model: see the reasons above"
            raise EngineError(message)

    def _welcome(self, client: TritonClient, target: Target) -> None:
        self._served.add(target)
        try:
            device = client.device(target, timeout_s=self._limits.hang_s)
        except TritonError as error:
            # One must not keep the others from being served; this one is tried again.
            logger.error("model %s does not answer: %s", target, error)
            self._repairs[target] = Repair()
        else:
            logger.info("model %s is served on %s", target, device or "cpu")

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
            self._look(process, client)
            self._heard = self._clock()
        except TritonError as error:
            logger.warning("tritonserver: %s", error)
            if self._clock() - self._heard > SILENCE_S:
                self._restart("tritonserver does not answer")
            return
        for target, repair in list(self._repairs.items()):
            if self._clock() >= repair.due:
                self._repair(process, client, target, repair)

    def _look(self, process: TritonProcess, client: TritonClient) -> None:
        self._served = _ready(client)
        stubs, spent_s = Counter[Target](), defaultdict[Target, float](float)
        for stub in process.stubs():
            stubs[stub.target] += 1
            spent_s[stub.target] += stub.cpu_s
        for target in self._pulses.keys() - self._served:
            del self._pulses[target]
        for target in self._served - self._repairs.keys():
            try:
                self._look_at(process, client, target, stubs[target], spent_s[target])
            except TritonError:
                # Unless it was unloaded since, on somebody's wish.
                if target in _ready(client):
                    raise

    def _look_at(self, process: TritonProcess, client: TritonClient, target: Target, stubs: int, cpu_s: float) -> None:
        # Looked at again, it is still ready: so it is not being unloaded on somebody's wish.
        if stubs < client.instances(target) and target in _ready(client):
            logger.error("model %s has lost a stub", target)
            self._repairs[target] = Repair()
            return
        pulse = self._pulses.setdefault(target, Pulse(self._limits.hang_s))
        if fault := pulse.fault(client, target, self._clock(), cpu_s):
            logger.error("model %s %s", target, fault)
            # Unloading would wait for an answer that never comes.
            process.kill_stubs(target)
            self._repairs[target] = Repair()

    def _repair(self, process: TritonProcess, client: TritonClient, target: Target, repair: Repair) -> None:
        begun = self._clock()
        self._pulses.pop(target, None)
        regions = process.regions()
        try:
            client.reload(target, timeout_s=self._limits.start_s)
            self._canary(client, target)
        except TritonError as error:
            repair.failures += 1
            repair.due = self._clock() + min(PAUSE_S * repair.failures, 60.0)
            logger.error("model %s does not come back: %s", target, error)
            if repair.failures >= RELOADS and not self._served - self._repairs.keys():
                self._restart(f"model {target} cannot be reloaded")
            return
        del self._repairs[target]
        process.forget(regions)
        logger.warning("model %s is back after %.1f s", target, self._clock() - begun)

    def _canary(self, client: TritonClient, target: Target) -> None:
        try:
            client.infer(target, timeout_s=PATIENCE * self._limits.hang_s)
        except TritonError as error:
            # In a long queue the canary may wait; that others were answered says as much.
            if not error.timed_out or not client.succeeded(target):
                raise

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
        return client

    def _restart(self, reason: str) -> None:
        begun, missed = self._clock(), self._served | self._repairs.keys()
        logger.error("%s, starting it again", reason)
        if self._client:
            self._client.close()
        if self._process:
            self._process.terminate(patience_s=0)
        self._process = self._client = None
        self._pulses.clear()
        try:
            client = self._launch()
            back = _ready(client)
            self._served, self._repairs = back, {target: Repair() for target in missed - back}
            for target in back:
                self._canary(client, target)
        except (EngineError, TritonError) as error:
            # The next tick finds it ended, or a model broken, and goes on from there.
            logger.error("tritonserver is not back: %s", error)
            return
        logger.warning("tritonserver is back after %.1f s", self._clock() - begun)


def _ready(client: TritonClient) -> set[Target]:
    return {state.target for state in client.models() if state.ready}

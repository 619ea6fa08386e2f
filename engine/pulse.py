"""Whether a version that is loaded still works: asked cheaply, through its own queue and its own stub."""

from cards.target import Target
from engine.client import TritonClient, TritonError

PING_S = 2.0
"""Seconds between two questions to a healthy model; each costs some milliseconds and no inference."""
FAILURES = 2
"""Failed answers in a row that are a fault. One alone may be a model that is just being swapped."""
BUSY_S = 0.5
"""Seconds of CPU time within `hang_s` that show a stub at work; one that hangs spends some hundredths."""
ENDLESS = 10
"""After this many times `hang_s` without an answer, work is an endless loop."""


class Pulse:
    """The pulse of one version.

    A question that waits is no fault while others are answered, as the queue is just long, or while the stub computes,
    as the machine is just busy: killing it would make that worse.
    """

    def __init__(self, hang_s: float) -> None:
        self._hang_s = hang_s
        self._asked_at: float | None = None
        self._waiting = False
        self._errors: list[str] = []
        self._answers = 0
        self._answered_at = self._moved_at = 0.0
        self._cpu_s = 0.0

    def fault(self, client: TritonClient, target: Target, now: float, cpu_s: float) -> str | None:
        """Ask if it is time to, and say what is wrong with the model.

        `now`: seconds on any steady clock. `cpu_s`: seconds of CPU time that the model's stubs have spent.
        """
        if self._waiting:
            return self._hang(client, target, now, cpu_s)
        if len(self._errors) >= FAILURES:
            return f"fails: {self._errors[-1]}"
        if self._asked_at is None or self._errors or now - self._asked_at >= PING_S:
            self._asked_at = self._answered_at = self._moved_at = now
            self._answers, self._cpu_s = client.succeeded(target), cpu_s
            self._waiting = True
            if not client.ping(target, self._answered):
                self._waiting = False
        return None

    def _hang(self, client: TritonClient, target: Target, now: float, cpu_s: float) -> str | None:
        if now - self._moved_at < self._hang_s / 2:
            return None
        answers = client.succeeded(target)
        if answers != self._answers:
            self._answers, self._answered_at = answers, now
        if self._answered_at == now or cpu_s - self._cpu_s >= BUSY_S:
            self._moved_at, self._cpu_s = now, cpu_s
        silence_s = now - self._answered_at
        if now - self._moved_at < self._hang_s and silence_s < ENDLESS * self._hang_s:
            return None
        return f"has answered nothing for {silence_s:.0f} s"

    def _answered(self, error: TritonError | None) -> None:
        self._errors = [*self._errors, str(error)] if error else []
        self._waiting = False

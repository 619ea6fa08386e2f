"""Whether a model that is loaded still works: asked cheaply, through its own queue and its own stub."""

from engine.client import TritonClient, TritonError

PING_S = 2.0
"""Seconds between two questions to an idle model; each costs some milliseconds and no inference."""


class Pulse:
    """One model's pulse. A question that waits is no fault while other requests finish: the queue is just long."""

    def __init__(self, hang_s: float) -> None:
        self._hang_s = hang_s
        self._asked_at: float | None = None
        self._waiting = False
        self._finished = 0
        self._moved_at = 0.0

    def is_hung(self, client: TritonClient, model: str, now: float) -> bool:
        """Ask if it is time to, and say whether nothing has finished for `hang_s` while a question waits."""
        if not self._waiting:
            if self._asked_at is None or now - self._asked_at >= PING_S:
                self._waiting, self._asked_at = True, now
                self._finished, self._moved_at = client.finished(model), now
                self._waiting = client.ping(model, self._answered)
            return False
        if now - self._moved_at < self._hang_s / 2:
            return False
        finished = client.finished(model)
        if finished != self._finished:
            self._finished, self._moved_at = finished, now
        return self._waiting and now - self._moved_at >= self._hang_s

    def _answered(self, _error: TritonError | None) -> None:
        # An error is an answer too: what is dead rather than hung is found by its missing process.
        self._waiting = False

"""When a model counts as hung, and when its queue is just long."""

from collections.abc import Callable

from cards.target import Target
from engine.client import TritonClient, TritonError
from engine.pulse import ENDLESS, FAILURES, PING_S, Pulse

HANG_S = 10.0
TOY = Target("toy", 1)


class FakeClient(TritonClient):
    """A model that answers when the test says so."""

    def __init__(self, *, tells_device: bool = True) -> None:
        self.tells_device = tells_device
        self.answered = 0
        self.pings = 0
        self.pending: Callable[[TritonError | None], None] | None = None

    def succeeded(self, target: Target) -> int:
        assert target == TOY
        return self.answered

    def ping(self, target: Target, done: Callable[[TritonError | None], None]) -> bool:
        assert target == TOY
        self.pings += 1
        self.pending = done
        return self.tells_device

    def answer(self, error: TritonError | None = None) -> None:
        assert self.pending is not None
        self.pending(error)


def test_a_model_that_answers_is_asked_now_and_then() -> None:
    pulse, client = Pulse(HANG_S), FakeClient()
    for now in (0.0, PING_S / 2, PING_S, 1.5 * PING_S, 2 * PING_S):
        assert pulse.fault(client, TOY, now, 0.0) is None
        client.answer()
    assert client.pings == 3


def test_an_unanswered_question_with_nothing_else_answered_is_a_hang() -> None:
    pulse, client = Pulse(HANG_S), FakeClient()
    assert pulse.fault(client, TOY, 0.0, 0.0) is None
    assert pulse.fault(client, TOY, HANG_S - 0.1, 0.0) is None
    assert "answered nothing for 10 s" in (pulse.fault(client, TOY, HANG_S, 0.0) or "")


def test_a_question_waits_as_long_as_others_are_answered() -> None:
    pulse, client = Pulse(HANG_S), FakeClient()
    for now in range(0, 100, 5):
        client.answered += 1
        assert pulse.fault(client, TOY, float(now), 0.0) is None
    assert client.pings == 1


def test_a_stub_that_computes_is_not_hung_on_a_busy_machine() -> None:
    pulse, client = Pulse(HANG_S), FakeClient()
    for now in range(0, int(ENDLESS * HANG_S), 5):
        assert pulse.fault(client, TOY, float(now), cpu_s=now * 0.2) is None


def test_the_cpu_time_of_a_hung_stubs_idle_threads_is_no_work() -> None:
    pulse, client = Pulse(HANG_S), FakeClient()
    faults = [pulse.fault(client, TOY, float(now), cpu_s=now * 0.004) for now in range(0, 40, 5)]
    assert any(faults)


def test_a_stub_that_computes_for_ever_is_hung() -> None:
    pulse, client = Pulse(HANG_S), FakeClient()
    faults = [pulse.fault(client, TOY, float(now), cpu_s=now * 2.0) for now in range(0, int(2 * ENDLESS * HANG_S), 5)]
    assert faults.index("has answered nothing for 100 s") == ENDLESS * HANG_S / 5


def test_errors_in_a_row_are_a_fault_and_one_is_not() -> None:
    pulse, client = Pulse(HANG_S), FakeClient()
    for now in range(FAILURES):
        assert pulse.fault(client, TOY, float(now), 0.0) is None
        client.answer(TritonError("not healthy"))
    assert "not healthy" in (pulse.fault(client, TOY, 5.0, 0.0) or "")


def test_an_answer_forgives_an_error() -> None:
    pulse, client = Pulse(HANG_S), FakeClient()
    for now in range(10):
        assert pulse.fault(client, TOY, now * PING_S, 0.0) is None
        client.answer(TritonError("swapped just now") if now % 2 else None)


def test_a_model_that_cannot_be_asked_is_never_hung() -> None:
    pulse, client = Pulse(HANG_S), FakeClient(tells_device=False)
    assert [pulse.fault(client, TOY, now * HANG_S, 0.0) for now in range(5)] == [None] * 5

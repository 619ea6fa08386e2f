"""What the supervisor does about each way in which Triton fails, on a Triton that fails on demand."""

from collections.abc import Callable

import pytest

from cards.target import Target, parse_target
from engine.client import ModelState, TritonClient, TritonError
from engine.errors import EngineError
from engine.supervisor import PAUSE_S, RELOADS, SILENCE_S, TICK_S, Limits, Supervisor
from engine.triton import Stub, TritonProcess


class FakeTriton(TritonProcess, TritonClient):
    """Process and client in one: a tritonserver whose models live, die and hang as the test says."""

    def __init__(self, models: dict[str, int]) -> None:
        self.instances_of = models
        self.stubs_of = dict(models)
        self.unloaded: set[str] = set()
        self.vanishing = ""
        self.running = self.answers = self.starts = True
        self.reload_fails = self.canary_times_out = False
        self.calls: list[str] = []
        self.pending: Callable[[TritonError | None], None] | None = None
        self.ping_error: TritonError | None = None
        self.answered = 0

    def alive(self) -> bool:
        return self.running

    def complaint(self) -> str:
        return "E: no luck"

    def stubs(self) -> list[Stub]:
        return [
            Stub(1, parse_target(name), "region", 0.0) for name, count in self.stubs_of.items() for _ in range(count)
        ]

    def kill_stubs(self, target: Target) -> None:
        self.calls.append(f"kill {target}")
        self.stubs_of[str(target)] = 0

    def regions(self) -> set[str]:
        return {"region", "old"}

    def forget(self, regions: set[str]) -> None:
        self.calls.append(f"forget {sorted(regions)}")

    def terminate(self, *, patience_s: float) -> None:
        self.calls.append("terminate" if patience_s else "kill")

    def close(self) -> None:
        self.calls.append("close")

    def ready(self) -> bool:
        return self.starts

    def models(self) -> list[ModelState]:
        if not self.answers:
            raise TritonError("Deadline Exceeded", timed_out=True)
        return [ModelState(parse_target(name), name not in self.unloaded, "corrupt") for name in self.instances_of]

    def instances(self, target: Target) -> int:
        if str(target) == self.vanishing:
            self.unloaded.add(self.vanishing)
            raise TritonError("unknown model")
        return self.instances_of[str(target)]

    def succeeded(self, target: Target) -> int:
        assert str(target) in self.instances_of
        return self.answered

    def device(self, target: Target, *, timeout_s: float) -> str:
        assert timeout_s
        if self.ping_error:
            raise self.ping_error
        return f"cpu/{target}"

    def infer(self, target: Target, *, timeout_s: float) -> str:
        assert timeout_s
        self.calls.append(f"infer {target}")
        if self.canary_times_out:
            raise TritonError("Deadline Exceeded", timed_out=True)
        return "cpu"

    def reload(self, target: Target, *, timeout_s: float) -> None:
        assert timeout_s
        self.calls.append(f"reload {target}")
        if self.reload_fails:
            raise TritonError("no memory")
        self.stubs_of[str(target)] = self.instances_of[str(target)]

    def ping(self, target: Target, done: Callable[[TritonError | None], None]) -> bool:
        assert str(target) in self.instances_of
        done(self.ping_error)
        return True


class Watched:
    """A supervisor over fake Tritons, one after another, and a clock that only the test moves."""

    def __init__(self, *tritons: FakeTriton) -> None:
        self.now = 0.0
        self.left = list(tritons)
        self.current = tritons[0]
        self.supervisor = Supervisor(
            self._next,
            lambda: self.current,
            Limits(start_s=30.0, hang_s=10.0),
            clock=lambda: self.now,
            sleep=self._sleep,
        )

    def _next(self) -> FakeTriton:
        self.current = self.left.pop(0)
        return self.current

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def tick(self, times: int = 1) -> None:
        """Look `times` times, at the supervisor's own pace."""
        for _ in range(times):
            self.now += TICK_S
            self.supervisor.tick()


def started(*tritons: FakeTriton) -> Watched:
    """A supervisor whose first Triton serves."""
    watched = Watched(*tritons)
    watched.supervisor.start()
    return watched


def test_a_healthy_triton_is_left_alone() -> None:
    triton = FakeTriton({"toy@1": 2})
    started(triton).tick(50)
    assert triton.calls == []


@pytest.mark.case("H13")
def test_a_dead_stub_is_answered_by_a_reload_a_canary_and_a_sweep() -> None:
    triton = FakeTriton({"toy@1": 2, "other@1": 1})
    watched = started(triton)
    triton.stubs_of["toy@1"] = 1
    watched.tick(5)
    assert triton.calls == ["reload toy@1", "infer toy@1", "forget ['old', 'region']"]


def test_a_model_that_somebody_unloaded_stays_unloaded() -> None:
    triton = FakeTriton({"toy@1": 1})
    watched = started(triton)
    triton.stubs_of["toy@1"] = 0
    triton.unloaded = {"toy@1"}
    watched.tick(5)
    assert triton.calls == []


@pytest.mark.case("H13")
def test_each_version_is_counted_and_brought_back_for_itself() -> None:
    triton = FakeTriton({"toy@1": 1, "toy@2": 1})
    watched = started(triton)
    triton.stubs_of["toy@2"] = 0
    watched.tick(5)
    assert triton.calls == ["reload toy@2", "infer toy@2", "forget ['old', 'region']"]


def test_a_version_that_is_unloaded_while_it_is_looked_at_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    triton = FakeTriton({"toy@1": 1, "toy@2": 1})
    watched = started(triton)
    triton.vanishing = "toy@2"
    watched.tick(5)
    assert triton.calls == []
    assert caplog.text == ""


@pytest.mark.case("H13")
def test_a_model_that_only_fails_is_killed_and_reloaded() -> None:
    triton = FakeTriton({"toy@1": 1})
    watched = started(triton)
    triton.ping_error = TritonError("not healthy")
    watched.tick(3)
    assert triton.calls[:3] == ["kill toy@1", "reload toy@1", "infer toy@1"]


@pytest.mark.case("H13")
def test_a_dead_tritonserver_is_started_again_after_its_group_is_killed() -> None:
    first, second = FakeTriton({"toy@1": 1}), FakeTriton({"toy@1": 1})
    watched = started(first, second)
    first.running = False
    watched.tick(3)
    assert first.calls == ["close", "kill"]
    assert second.calls == ["infer toy@1"]


@pytest.mark.case("H13")
def test_a_silent_tritonserver_is_given_some_seconds_and_then_started_again() -> None:
    first, second = FakeTriton({"toy@1": 1}), FakeTriton({"toy@1": 1})
    watched = started(first, second)
    first.answers = False
    watched.tick(int(SILENCE_S / TICK_S))
    assert first.calls == []
    watched.tick()
    assert first.calls == ["close", "kill"]


def test_the_engine_outlives_a_triton_that_does_not_start_again() -> None:
    first, second, third = FakeTriton({"toy@1": 1}), FakeTriton({"toy@1": 1}), FakeTriton({"toy@1": 1})
    watched = started(first, second, third)
    first.running = second.starts = second.running = False
    watched.tick(2)
    assert second.calls == ["close", "kill"]
    assert third.calls == ["infer toy@1"]


def test_a_model_that_does_not_come_back_is_tried_ever_less_often() -> None:
    triton = FakeTriton({"toy@1": 1, "other@1": 1})
    watched = started(triton)
    triton.stubs_of["toy@1"], triton.reload_fails = 0, True
    watched.tick(int((PAUSE_S + 2 * PAUSE_S) / TICK_S))
    assert triton.calls == ["reload toy@1"] * 2
    triton.reload_fails = False
    watched.tick(int(3 * PAUSE_S / TICK_S))
    assert triton.calls == ["reload toy@1"] * 3 + ["infer toy@1", "forget ['old', 'region']"]


def test_a_lone_model_that_does_not_come_back_costs_a_restart() -> None:
    first, second = FakeTriton({"toy@1": 1}), FakeTriton({"toy@1": 1})
    watched = started(first, second)
    first.stubs_of["toy@1"], first.reload_fails = 0, True
    watched.tick(100)
    assert first.calls == ["reload toy@1"] * RELOADS + ["close", "kill"]
    assert second.calls == ["infer toy@1"]


def test_a_model_that_a_restart_did_not_bring_back_is_tried_on() -> None:
    first, second = FakeTriton({"toy@1": 1, "other@1": 1}), FakeTriton({"toy@1": 1, "other@1": 1})
    watched = started(first, second)
    first.running = False
    second.unloaded = {"toy@1"}
    watched.tick(2)
    assert second.calls == ["infer other@1", "reload toy@1", "infer toy@1", "forget ['old', 'region']"]


@pytest.mark.parametrize(("answered", "reloads"), [(0, 2), (3, 1)])
def test_a_canary_that_waits_behind_answered_requests_is_no_failure(answered: int, reloads: int) -> None:
    triton = FakeTriton({"toy@1": 1, "other@1": 1})
    watched = started(triton)
    triton.stubs_of["toy@1"], triton.canary_times_out, triton.answered = 0, True, answered
    watched.tick(1 + int(PAUSE_S / TICK_S))
    assert triton.calls.count("reload toy@1") == reloads


def test_a_first_start_that_fails_is_an_error_with_tritons_own_words() -> None:
    triton = FakeTriton({"toy@1": 1})
    triton.starts = triton.running = False
    with pytest.raises(EngineError, match="no luck"):
        started(triton)


def test_a_first_start_that_takes_too_long_is_an_error() -> None:
    triton = FakeTriton({"toy@1": 1})
    triton.starts = False
    with pytest.raises(EngineError, match="30 s"):
        started(triton)


def test_a_triton_that_serves_nothing_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    triton = FakeTriton({"toy@1": 1})
    triton.unloaded = {"toy@1"}
    with pytest.raises(EngineError, match="no model"):
        started(triton)
    assert "corrupt" in caplog.text


def test_the_end_is_polite() -> None:
    triton = FakeTriton({"toy@1": 1})
    started(triton).supervisor.close()
    assert triton.calls == ["close", "terminate"]


def test_a_model_that_does_not_answer_at_the_start_is_brought_back_and_keeps_nothing_from_being_served() -> None:
    triton = FakeTriton({"mute@1": 1, "toy@1": 1})
    triton.ping_error = TritonError("UNIMPLEMENTED")
    watched = started(triton)
    triton.ping_error = None
    watched.tick()
    assert [call for call in triton.calls if call.startswith("reload")] == ["reload mute@1", "reload toy@1"]

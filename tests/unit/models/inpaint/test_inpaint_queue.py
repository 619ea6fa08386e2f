"""The queue in front of the painter: one after the other, bounded, and never silent."""

from collections.abc import Callable
from threading import Event

from inpaint.queue import Painter

WITHIN_S = 30


class FakeJob:
    """Waits until it may end; moves when it is told to."""

    def __init__(self, order: list["FakeJob"]) -> None:
        self.begun, self.may_end = Event(), Event()
        self.step: Callable[[], None] = lambda: None
        self._order = order

    def run(self, on_step: Callable[[], None]) -> None:
        self.step = on_step
        self.begun.set()
        assert self.may_end.wait(WITHIN_S)
        self._order.append(self)


def test_jobs_run_one_after_the_other_in_their_order() -> None:
    done: list[FakeJob] = []
    jobs = [FakeJob(done) for _ in range(4)]
    painter = Painter(max_waiting=4, stall_s=1)
    assert all(painter.submit(job) for job in jobs)
    assert jobs[0].begun.wait(WITHIN_S)
    assert not jobs[1].begun.is_set()
    for job in jobs:
        job.may_end.set()
    painter.close()
    assert done == jobs


def test_more_than_may_wait_is_refused_and_one_that_ends_makes_room() -> None:
    done: list[FakeJob] = []
    running, waiting, refused, later = (FakeJob(done) for _ in range(4))
    painter = Painter(max_waiting=1, stall_s=1)
    assert painter.submit(running)
    assert running.begun.wait(WITHIN_S)
    assert painter.submit(waiting)
    assert not painter.submit(refused)
    running.may_end.set()
    assert waiting.begun.wait(WITHIN_S)
    assert painter.submit(later)
    for job in (waiting, later):
        job.may_end.set()
    painter.close()
    assert done == [running, waiting, later]


def test_a_step_that_takes_too_long_is_a_stall_and_idleness_is_none() -> None:
    now = 0.0
    painter = Painter(max_waiting=1, stall_s=10, clock=lambda: now)
    now = 1000.0
    assert not painter.stalled()
    job = FakeJob([])
    painter.submit(job)
    assert job.begun.wait(WITHIN_S)
    now += 9
    assert not painter.stalled()
    job.step()
    now += 9
    assert not painter.stalled()
    now += 2
    assert painter.stalled()
    job.may_end.set()
    painter.close()
    assert not painter.stalled()

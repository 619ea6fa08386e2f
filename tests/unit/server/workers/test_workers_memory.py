"""When a worker gives freed memory back."""

import threading

from server.workers.memory import FreedMemory
from tests.support.processes import wait_until


def test_it_goes_back_when_a_picture_is_done_and_again_when_the_last_threads_are() -> None:
    given: list[int] = []
    memory = FreedMemory(lambda: given.append(1), settle_s=0.01)
    memory.keep()
    assert given == []
    memory.release()
    assert given
    wait_until(lambda: len(given) == 2, "it was given back again")


def test_it_stays_while_the_next_picture_is_in_work() -> None:
    given: list[int] = []
    before = set(threading.enumerate())
    memory = FreedMemory(lambda: given.append(1), settle_s=60)
    memory.release()
    (timer,) = set(threading.enumerate()) - before
    memory.keep()
    timer.join(10)
    assert not timer.is_alive()
    assert given == [1]


def test_pictures_one_after_another_leave_one_timer() -> None:
    before = set(threading.enumerate())
    memory = FreedMemory(lambda: None, settle_s=60)
    for _ in range(5):
        memory.keep()
        memory.release()
    wait_until(lambda: len(set(threading.enumerate()) - before) == 1, "one timer is left")
    memory.keep()

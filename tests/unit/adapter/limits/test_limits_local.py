"""The moving window in one process: exact, and bounded in memory."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.limits.clients import Client, Clients
from adapter.limits.local import WINDOW_S, LocalLimiter


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def client(number: int) -> Client:
    return Clients().identify(str(ipaddress.IPv4Address(number)), ())


ONE, OTHER = client(1), client(2)


def test_a_client_has_its_limit_and_no_more() -> None:
    limiter = LocalLimiter(3, clock=Clock())
    standings = [limiter.count(ONE) for _ in range(4)]
    assert [standing.allowed for standing in standings] == [True, True, True, False]
    assert [standing.remaining for standing in standings] == [2, 1, 0, 0]
    assert {standing.limit for standing in standings} == {3}
    assert limiter.count(OTHER).remaining == 2


def test_a_client_may_have_a_limit_of_its_own() -> None:
    limiter = LocalLimiter(1, clock=Clock())
    assert [limiter.count(ONE, 2).allowed for _ in range(3)] == [True, True, False]
    assert limiter.count(ONE, 2).limit == 2
    assert [limiter.count(OTHER).allowed for _ in range(2)] == [True, False]


def test_to_look_counts_nothing() -> None:
    clock = Clock()
    limiter = LocalLimiter(1, clock=clock)
    fresh = limiter.peek(ONE)
    assert (fresh.allowed, fresh.remaining, fresh.reset_s, limiter.known_clients) == (True, 1, 0, 0)
    limiter.count(ONE)
    clock.now += 20
    full = limiter.peek(ONE)
    assert (full.allowed, full.remaining, full.reset_s) == (False, 0, 40)
    clock.now += 40
    assert limiter.peek(ONE).allowed
    assert limiter.peek(OTHER).allowed
    assert limiter.count(OTHER).allowed


def test_the_window_moves_with_each_request() -> None:
    clock = Clock()
    limiter = LocalLimiter(2, clock=clock)
    limiter.count(ONE)
    clock.now += 40
    limiter.count(ONE)
    refused = limiter.count(ONE)
    assert (refused.allowed, refused.reset_s) == (False, 20)
    clock.now += 20  # The first is a minute old, the second is not.
    assert [limiter.count(ONE).allowed for _ in range(2)] == [True, False]


@given(st.lists(st.floats(0, 30), min_size=1, max_size=80), st.integers(1, 5))
@settings(deadline=None)
def test_no_minute_ever_holds_more_than_the_limit(pauses: list[float], limit: int) -> None:
    clock = Clock()
    limiter = LocalLimiter(limit, clock=clock)
    taken: list[float] = []
    for pause in pauses:
        clock.now += pause
        recent = [time for time in taken if time > clock.now - WINDOW_S]
        allowed = limiter.count(ONE).allowed
        assert allowed == (len(recent) < limit)  # Refused ones do not count.
        if allowed:
            taken.append(clock.now)


@pytest.mark.case("H9")
def test_any_number_of_addresses_takes_bounded_memory() -> None:
    limiter = LocalLimiter(30, max_clients=1000, clock=Clock())
    for number in range(100_000):
        limiter.count(Client(str(number), str(number >> 4)))
    assert limiter.known_clients <= 1000 + 1024


@pytest.mark.case("H9")
def test_beyond_the_known_clients_neighbours_are_counted_together_and_the_known_alone() -> None:
    limiter = LocalLimiter(3, max_clients=1, clock=Clock())
    assert limiter.count(ONE).remaining == 2
    assert [limiter.count(client(number)).allowed for number in range(2, 6)] == [True, True, True, False]
    assert limiter.count(ONE).remaining == 1


def test_silent_clients_are_forgotten() -> None:
    clock = Clock()
    limiter = LocalLimiter(3, clock=clock)
    limiter.count(ONE)
    clock.now += WINDOW_S / 2
    limiter.count(OTHER)
    clock.now += WINDOW_S / 2
    limiter.count(client(3))
    assert limiter.known_clients == 2

"""The service clock: it runs with the machine's, but no jump of that moves it far."""

from sqlalchemy import Connection, insert, select, update

from server.jobs.schema import clock

_ONLY = 1
_STRIDE = 2  # periods: a sweep may be late by one, and whatever else is missing was a jump or a night switched off.


def now_s(connection: Connection) -> float:
    """The time on it, in seconds; 0 before the first sweep."""
    return float(connection.execute(select(clock.c.now_s)).scalar_one_or_none() or 0.0)


def advance(connection: Connection, wall: float, period_s: float) -> float:
    """Move it by what the machine's clock, now `wall`, has moved since the last sweep; return the new time.

    By at most two sweeps' periods, and never back: a clock that jumps an hour lets nothing expire at once.
    """
    row = connection.execute(select(clock).with_for_update()).mappings().one_or_none()
    if row is None:
        connection.execute(insert(clock).values(id=_ONLY, now_s=0.0, seen=wall))
        return 0.0
    passed: float = min(max(wall - row["seen"], 0.0), _STRIDE * period_s)
    time: float = row["now_s"] + passed
    connection.execute(update(clock).values(now_s=time, seen=wall))
    return time

"""How the jobs are run: where they are kept, how many at once, and every period."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from server.jobs.record import Kind


@dataclass(frozen=True)
class Periods:
    """In seconds. The defaults make a dead server's jobs run again within 35 s."""

    beat: float = 5.0  # between two heartbeats, and between two looks at the others'
    dead: float = 20.0  # a server whose heartbeat stands still for so long, by the observer's clock, is dead
    poll: float = 0.5  # between two looks at jobs that are watched or run here
    queue: float = 0.5  # between two looks at a queue
    retry: tuple[float, ...] = (2.0, 15.0)  # before the second and the third attempt
    later: tuple[float, ...] = (15.0, 60.0)  # the same where something was away: a model takes half a minute to return
    errand: tuple[float, ...] = (5.0, 30.0, 120.0, 600.0, 3600.0, 3 * 3600.0, 12 * 3600.0)  # before each next try
    census: float = 15.0  # between two counts of all jobs, for the metrics
    sweep: int = 60  # between two sweeps; divides a minute or an hour
    strays: int = 3600  # between two looks at all files; as `sweep`


@dataclass(frozen=True)
class Retention:
    """How long things are kept, on the service clock."""

    result: timedelta = timedelta(hours=24)  # a result that nobody fetches
    files: timedelta = timedelta(minutes=20)  # files of a result that is gone: downloads that have begun complete
    record: timedelta = timedelta(days=7)  # how a job ended


@dataclass(frozen=True)
class JobSettings:
    """`url`: SQLAlchemy's, SQLite or PostgreSQL. `slots`: jobs of each kind at once in this server."""

    url: str
    slots: Mapping[Kind, int] = field(default_factory=lambda: {Kind.IMAGE: 2, Kind.VIDEO: 1})
    timeout_s: Mapping[Kind, float] = field(default_factory=lambda: {Kind.IMAGE: 300.0, Kind.VIDEO: 900.0})
    retention: Retention = Retention()
    periods: Periods = Periods()


def cron(period_s: int) -> str:
    """Every `period_s` seconds, as the crontab says it, with seconds."""
    if period_s < 60:
        return f"*/{period_s} * * * * *"
    return f"0 */{period_s // 60} * * * *" if period_s < 3600 else "0 0 * * * *"

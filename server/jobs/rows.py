"""A job's row, read and written."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping

from server.jobs.record import Failure, Kind, Order, Record, Result, State
from server.jobs.schema import jobs
from server.jobs.settings import Retention

UNENDED = (State.QUEUED.value, State.RUNNING.value)


def visible_to(job: str, owner: str) -> ColumnElement[bool]:
    """Whose row it is, as long as it was not deleted."""
    return (jobs.c.id == job) & (jobs.c.owner == owner) & jobs.c.deleted.is_(False)


def new_row(order: Order, created: float, created_s: float) -> dict[str, Any]:
    """The row of a job that is accepted now."""
    return {
        "id": order.id,
        "owner": order.owner,
        "kind": order.kind.value,
        "spec": dict(order.spec),
        "digest": order.digest,
        "webhook_url": order.webhook_url,
        "webhook_secret": order.webhook_secret,
        "created": created,
        "created_s": created_s,
        "state": State.QUEUED.value,
        "attempt": 0,
        "tries": 0,
        "done": 0,
        "total": order.total,
        "delivered": 0,
        "deleted": False,
        "tidy": False,
        "files": True,
    }


def read_record(row: RowMapping, retention: Retention) -> Record:
    """A row as everybody sees it."""
    failure = row["failure"] if row["state"] == State.FAILED.value else None
    return Record(
        id=row["id"],
        owner=row["owner"],
        kind=Kind(row["kind"]),
        spec=row["spec"],
        digest=row["digest"],
        state=State(row["state"]),
        attempt=row["attempt"],
        done=row["done"],
        total=row["total"],
        created=_moment(row["created"]),
        ended=None if row["ended"] is None else _moment(row["ended"]),
        result=_result(row, retention),
        failure=None if failure is None else Failure(failure["reason"], failure["message"]),
        webhook_url=row["webhook_url"],
        webhook_secret=row["webhook_secret"],
    )


def _result(row: RowMapping, retention: Retention) -> Result | None:
    result = row["result"]
    if result is None:
        return None
    return Result(
        path=result["path"],
        content_type=result["content_type"],
        size=result["size"],
        facts=result["facts"],
        available=row["gone_s"] is None,
        fetched=row["delivered"] >= result["size"],
        expires=_moment(row["ended"]) + retention.result,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

"""What a job is: the order that was accepted, how it stands, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

Json = Mapping[str, Any]
"""An object that JSON can say."""


class Kind(Enum):
    """What a job makes; each kind has a queue of its own."""

    IMAGE = "image"
    VIDEO = "video"


class State(Enum):
    """How a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether it stays so."""
        return self not in (State.QUEUED, State.RUNNING)


@dataclass(frozen=True)
class Order:
    """One job to accept. Its files are given beside it."""

    id: str  # the caller's own or a new one: a lower-case UUID
    owner: str  # for everybody else the job does not exist
    kind: Kind
    spec: Json  # all that the runner must know, besides the files
    digest: str  # of the whole request and its files, in hex: the same id with another one is refused
    total: int = 0  # parts of the work, where they are known already
    webhook_url: str = ""  # empty: nowhere
    webhook_secret: str = ""


@dataclass(frozen=True)
class Outcome:
    """What an attempt made. Its file lies in the store."""

    path: str  # in the store, see `paths.output_path`
    content_type: str
    size: int  # bytes
    facts: Json = field(default_factory=dict)  # about the result, as JSON


@dataclass(frozen=True)
class Result:
    """The result of a job that has succeeded."""

    path: str
    content_type: str
    size: int
    facts: Json
    available: bool  # whether it can be downloaded still
    fetched: bool  # whether all of it has arrived, and it was removed for that
    expires: datetime  # when it is removed at the latest


@dataclass(frozen=True)
class Failure:
    """Why a job has no result."""

    reason: str  # machine code, as in `errors.proto`
    message: str  # one sentence for the caller


@dataclass(frozen=True)
class Record:
    """A job as it stands. Times are in UTC."""

    id: str
    owner: str
    kind: Kind
    spec: Json
    digest: str
    state: State
    attempt: int  # that is made or was the last, from 1; 0 before the first
    done: int  # parts of the work, 0 to `total`; of the whole never less than before
    total: int  # 0: not known yet
    created: datetime
    ended: datetime | None = None
    result: Result | None = None
    failure: Failure | None = None
    webhook_url: str = ""
    webhook_secret: str = field(default="", repr=False)

"""Work for jobs that needs no worker: as long, and as faulty, as the order says."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypedDict
from uuid import uuid4

from server.errors import (
    InvalidVideoError,
    ModelUnavailableError,
    ProcessingFailedError,
    ServiceError,
    StoreUnavailableError,
)
from server.jobs.paths import input_path, output_path
from server.jobs.ports import OnProgress, Store
from server.jobs.record import Kind, Order, Outcome, Record

ERRORS: dict[str, type[ServiceError]] = {
    error.reason: error
    for error in (InvalidVideoError, ModelUnavailableError, ProcessingFailedError, StoreUnavailableError)
}


class Spec(TypedDict, total=False):
    """What the runner does in an attempt, in this order."""

    parts: int  # of progress
    part_s: float  # for each
    gate: str  # goes on once this file is there
    fault: str  # fails with this reason, or with a bug for `BUG`
    faulty: int  # in so many first attempts; all where it is absent


def make_order(spec: Spec | None = None, owner: str = "me", kind: Kind = Kind.IMAGE, **values: Any) -> Order:
    """An order with an id of its own."""
    return Order(**{"id": str(uuid4()), "owner": owner, "kind": kind, "spec": spec or {}, "digest": "ab", **values})


class FakeRunner:
    """Implements `server.jobs.ports.Runner`. Makes a copy of the input.

    `journal`: a folder where it tells what became of each attempt, in files `<job>.<attempt>.<word>`; the words are
    begun, made, killed and failed.
    """

    def __init__(self, store: Store, journal: Path) -> None:
        self._store = store
        self.journal = journal
        journal.mkdir(exist_ok=True)

    async def run(self, record: Record, attempt: int, on_progress: OnProgress) -> Outcome:
        """Do what the order says."""
        self._tell(record, attempt, "begun")
        end = "failed"
        try:
            file = self.journal / f"{record.id}.{attempt}"
            await self._store.get_to_file(input_path(record.id, record.digest, "input"), file)
            await self._work(record, attempt, on_progress)
            outcome = await self._put(record, attempt, file)
            end = "made"
        except asyncio.CancelledError:
            end = "killed"
            raise
        finally:
            self._tell(record, attempt, end)
        return outcome

    def told(self, word: str) -> list[tuple[str, int]]:
        """The attempts of which `word` was told, sorted."""
        return sorted(_attempts(self.journal.glob(f"*.{word}")))

    async def _work(self, record: Record, attempt: int, on_progress: OnProgress) -> None:
        spec = record.spec
        parts = spec.get("parts", 1)
        for part in range(parts):
            on_progress(part, parts)
            await asyncio.sleep(spec.get("part_s", 0))
        on_progress(parts, parts)
        while "gate" in spec and not Path(spec["gate"]).exists():  # noqa: ASYNC110 - opened by another process.
            await asyncio.sleep(0.02)
        if "fault" in spec and attempt <= spec.get("faulty", attempt):
            if spec["fault"] == "BUG":
                raise RuntimeError("a bug")
            raise ERRORS[spec["fault"]](f"attempt {attempt} failed")

    async def _put(self, record: Record, attempt: int, file: Path) -> Outcome:
        path = output_path(record.id, attempt, "result")
        await self._store.put_file(path, file)
        return Outcome(path, "text/plain", file.stat().st_size, {"attempt": attempt})

    def _tell(self, record: Record, attempt: int, word: str) -> None:
        (self.journal / f"{record.id}.{attempt}.{word}").touch()


def _attempts(files: Iterable[Path]) -> Iterable[tuple[str, int]]:
    for file in files:
        job, attempt, _ = file.name.split(".")
        yield job, int(attempt)

"""What runs inside a worker process for a picture. Only code that runs there sees pixels."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from cards.target import Target
from server.edit import EditResult, EditTask, Models, edit
from server.generation import GenerationModel
from server.image.libvips import configure
from server.output import SubjectSource
from server.triton.generation import GenerationClient
from server.triton.model import TritonClient, TritonOptions
from server.triton.sheets import Sheets
from server.video.task import OnProgress
from server.workers.limits import WorkerLimits
from server.workers.memory import FreedMemory
from server.workers.progress import reporting
from telemetry.logs import Form, set_up


@dataclass(frozen=True)
class EditJob:
    """One picture to edit."""

    source: Path  # the encoded picture
    target: Path  # where the encoded result goes
    task: EditTask
    model: Target  # cuts out
    generation_model: Target | None  # paints the background; None where none is painted
    deadline: float  # time.monotonic, which is one clock for all processes
    background: Path | None = None  # the encoded picture to lay the subject over
    progress: Path | None = None  # where hundredths are told

    @property
    def targets(self) -> tuple[Target, ...]:
        """The versions that are asked."""
        cut = () if self.task.subject is SubjectSource.OWN_ALPHA else (self.model,)
        return cut if self.generation_model is None else (*cut, self.generation_model)


def initialize(limits: WorkerLimits, log: Form = Form.TEXT) -> None:
    """Make this process a worker: limited, and bound to its server's life."""
    set_up(log, role="worker")
    logging.getLogger("pyvips").setLevel(logging.ERROR)  # libvips tells every step; its errors are raised.
    configure()
    limits.apply()


def edit_picture(job: EditJob, limits: WorkerLimits, triton: TritonOptions) -> EditResult:
    """Edit one picture. Raises what `server.edit.edit` and the models raise."""
    models = Models(
        partial(client(triton).model, job.model, job.deadline),
        partial(painter, triton, job.generation_model, job.deadline),
    )
    with at_work(limits), nullcontext() if job.progress is None else reporting(job.progress) as report:
        on_percent = None if report is None else partial(_tell_percent, report)
        return edit(job.source, job.target, job.task, models, job.background, on_percent=on_percent)


def _tell_percent(report: OnProgress, percent: int) -> None:
    report(percent, 100)


@contextmanager
def at_work(limits: WorkerLimits) -> Iterator[None]:
    """Count the block as one task, and give freed memory back after it."""
    limits.begin_task()
    memory = _memory()
    memory.keep()
    try:
        yield
    finally:
        memory.release()


@cache
def _memory() -> FreedMemory:
    """This process's freed memory."""
    return FreedMemory()


@cache
def client(options: TritonOptions) -> TritonClient:
    """This process's connection, made with its first task and kept."""
    return TritonClient(options, owner=os.getpid())


def painter(triton: TritonOptions, chosen: Target | None, deadline: float, _name: str | None) -> GenerationModel:
    """The generation model that was chosen for a task that must be done by `deadline`."""
    if chosen is None:
        raise ValueError("no model was chosen to paint with")
    return _painters(triton).model(chosen, deadline)


@cache
def _painters(options: TritonOptions) -> GenerationClient:
    """This process's connection for generated backgrounds, made with the first one and kept."""
    prefix = options.region_prefix
    sheets = None if prefix is None else Sheets(options.address, prefix, os.getpid())
    return GenerationClient(options.address, sheets)

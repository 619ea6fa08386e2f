"""What runs inside a worker process. It is the only code that sees a picture's pixels."""

import logging
import os
import sys
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from server.edit import EditResult, EditTask, Models, edit
from server.generation import GenerationModel
from server.image.libvips import configure
from server.triton.generation import GenerationClient
from server.triton.model import TritonClient, TritonOptions
from server.workers.limits import WorkerLimits
from server.workers.memory import FreedMemory

LOG_FORMAT = "%(asctime)s %(levelname)s worker %(process)d %(message)s"


@dataclass(frozen=True)
class EditJob:
    """One picture to edit."""

    source: Path  # the encoded picture
    target: Path  # where the encoded result goes
    task: EditTask
    model: str  # cuts out
    generation_model: str  # paints a background that names no model
    deadline: float  # time.monotonic, which is one clock for all processes
    background: Path | None = None  # the encoded picture to lay the subject over


def initialize(limits: WorkerLimits) -> None:
    """Make this process a worker: limited, and bound to its server's life."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format=LOG_FORMAT)
    logging.getLogger("pyvips").setLevel(logging.ERROR)  # libvips tells every step; its errors are raised.
    configure()
    limits.apply()


def edit_picture(job: EditJob, limits: WorkerLimits, triton: TritonOptions) -> EditResult:
    """Edit one picture. Raises what `server.edit.edit` and the models raise."""
    limits.begin_task()
    memory = _memory()
    memory.keep()
    models = Models(partial(_client(triton).model, job.model, job.deadline), partial(_painter, job, triton.address))
    try:
        return edit(job.source, job.target, job.task, models, job.background)
    finally:
        memory.release()


@cache
def _memory() -> FreedMemory:
    """This process's freed memory."""
    return FreedMemory()


@cache
def _client(options: TritonOptions) -> TritonClient:
    """This process's connection, made with its first task and kept."""
    return TritonClient(options, owner=os.getpid())


def _painter(job: EditJob, address: str, name: str | None) -> GenerationModel:
    return _painters(address).model(name or job.generation_model, job.deadline)


@cache
def _painters(address: str) -> GenerationClient:
    """This process's connection for generated backgrounds, made with the first one and kept."""
    return GenerationClient(address)

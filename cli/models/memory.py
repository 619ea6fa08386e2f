"""Memory of the processes in which Triton holds a model."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

_INTERVAL_S = 0.2


@asynccontextmanager
async def watching(pid: int, models: Iterable[str]) -> AsyncIterator[Mapping[str, int]]:
    """The most memory of each of `models` that was seen while the block ran, in bytes.

    `pid`: of a program above Triton. It is the proportional set size, in which shared pages are counted once.
    """
    most = dict.fromkeys(models, 0)

    async def sample() -> None:
        while True:
            for model in most:
                most[model] = max(most[model], await asyncio.to_thread(_memory, pid, model))
            await asyncio.sleep(_INTERVAL_S)

    sampling = asyncio.create_task(sample())
    try:
        yield most
    finally:
        sampling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sampling


def _memory(pid: int, model: str) -> int:
    total = 0
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            # A stub's arguments name its model's file: …/NAME/VERSION/model.onnx.
            if any(Path(argument).parts[-3:-2] == (model,) for argument in process.cmdline()):
                total += process.memory_full_info().pss
    return total

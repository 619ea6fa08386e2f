"""Mattes of single versions, to be judged: made by the workers of jobs, so that no caller waits for them."""

import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from cards.target import Target
from evaluation.errors import EvaluationError
from evaluation.scores import Score, score_files
from server.composition import Composition
from server.edit import EditResult, EditTask
from server.errors import ModelRefusedError
from server.image.difference import mean_difference
from server.output import Output, OutputKind
from server.workers.pool import WorkerPool
from server.workers.task import EditJob

Run = Callable[[EditJob], Awaitable[EditResult]]
"""Has a worker of jobs do it, with a Triton that is well. Raises ServiceError."""

_PAIR_S, _SCORES_S = 60.0, 600.0  # With a queue of jobs before them.


class Mattes:
    """Implements `server.lifecycle.ports.MatteMaker`."""

    def __init__(self, run: Run, pool: WorkerPool, max_pixels: int, timeout_s: float) -> None:
        """`timeout_s`: for one matte, waiting for a worker included."""
        self._run = run
        self._pool = pool
        self._task = EditTask(Composition(), Output(kind=OutputKind.MASK), max_pixels)
        self._timeout_s = timeout_s

    async def make(self, target: Target, source: Path, file: Path) -> float:
        """Write the matte of the encoded picture `source` as a PNG, and return the seconds of its inference."""
        deadline = time.monotonic() + self._timeout_s
        result = await self._run(EditJob(source, file, self._task, target, None, deadline))
        return sum(seconds for stage, seconds in result.stages if stage == "infer")

    async def difference(self, first: Path, second: Path) -> float:
        """The mean absolute difference of two mattes, 0 to 1."""
        return await self._pool.run(mean_difference, first, second, timeout_s=_PAIR_S)

    async def scores(self, mattes: Mapping[str, tuple[Path, Path]]) -> dict[str, Score]:
        """Hold mattes against their truths; both are encoded. Raises `ModelRefusedError` where that cannot be done."""
        return await self._pool.run(_score_all, dict(mattes), timeout_s=_SCORES_S)


def _score_all(mattes: dict[str, tuple[Path, Path]]) -> dict[str, Score]:
    try:
        return {name: score_files(matte, truth) for name, (matte, truth) in mattes.items()}
    except EvaluationError as error:
        raise ModelRefusedError(f"The golden set cannot be used: {error}") from error

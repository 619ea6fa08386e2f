"""The gate: a version is held against the one before it, on the same pictures, in turn and on the same machines."""

from dataclasses import dataclass
from pathlib import Path

from cards.target import Target
from evaluation.errors import EvaluationError
from evaluation.samples import Sample, read_samples
from evaluation.scores import Score
from evaluation.verdict import Measured
from server.errors import DeadlineExceededError, ModelRefusedError, ModelUnavailableError, OverloadedError
from server.lifecycle.ports import MatteMaker, Trial
from server.workers.workspace import Workspace


class GoldenGate:
    """Implements `Gate` with the stored golden set."""

    def __init__(self, folder: Path, mattes: MatteMaker, scratch: Workspace) -> None:
        """`folder`: of the golden set, see `evaluation.samples`."""
        self._folder = folder
        self._mattes = mattes
        self._scratch = scratch

    async def ask(self, target: Target) -> str:
        """Ask a version for the matte of the first golden picture: this also warms it up."""
        sample = self._samples()[0]
        with self._scratch.folder() as folder:
            seconds = await self._make(target, sample, folder / "matte.png")
        return f"{target} answers in {1000 * seconds:.0f} ms"

    async def compare(self, new: Target, old: Target) -> Trial:
        """Have both work on each golden picture; which is first alternates, so that what else goes on hits both."""
        samples, seconds = self._samples(), _Seconds({}, {})
        with self._scratch.folder() as folder:
            mattes = {target: folder / str(target) for target in (new, old)}
            for path in mattes.values():
                path.mkdir()
            for number, sample in enumerate(samples):
                for target in (new, old) if number % 2 else (old, new):
                    taken = await self._make(target, sample, mattes[target] / f"{number}.png")
                    (seconds.new if target == new else seconds.old)[sample.name] = (taken,)
            return Trial(
                Measured(await self._scores(samples, mattes[new]), seconds.new),
                Measured(await self._scores(samples, mattes[old]), seconds.old),
            )

    async def _scores(self, samples: tuple[Sample, ...], folder: Path) -> dict[str, Score]:
        pairs = {sample.name: (folder / f"{number}.png", sample.mask) for number, sample in enumerate(samples)}
        return await self._mattes.scores(pairs)

    async def _make(self, target: Target, sample: Sample, file: Path) -> float:
        try:
            return await self._mattes.make(target, sample.image, file)
        except ModelUnavailableError as error:
            raise ModelRefusedError(f"{target} does not work on {sample.name!r}: {error}") from error
        except DeadlineExceededError as error:
            # An inference has a limit of its own: it was a worker that was not free.
            raise OverloadedError("The workers of jobs are busy, so nothing could be judged.") from error

    def _samples(self) -> tuple[Sample, ...]:
        try:
            return read_samples(self._folder)
        except EvaluationError as error:
            raise ModelRefusedError(f"There is nothing to judge by: {error}") from error


@dataclass(frozen=True)
class _Seconds:
    new: dict[str, tuple[float, ...]]
    old: dict[str, tuple[float, ...]]

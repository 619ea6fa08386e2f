"""Measuring models of the repository: in a stack of their own, or in one that runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from clearcanvas.v1 import images_pb2_grpc
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cards.target import Target
from cli.client import connected
from cli.config import Settings
from cli.models.load import Level, Loader, open_client
from cli.models.memory import watching
from cli.models.private import private_stack
from cli.models.trial import Trial, run_trials
from evaluation.errors import EvaluationError
from evaluation.samples import Sample
from transport.tls import Tls


async def measure(
    settings: Settings, targets: Sequence[Target], samples: Sequence[Sample], rounds: int, *, running: bool
) -> list[Trial]:
    """Have each of `targets` make the mattes of `samples`, see `run_trials`.

    `running`: ask the server that the settings name; else a private one, and tell what memory each model took.

    Raises:
        EvaluationError: a picture fails, or another version answers than was asked for.
        NoServerError, StackError, ProgramExitedError, CardError: there is no server.
    """
    if running:
        trials = await _through(
            settings.grpc, settings.tls, {target: str(target) for target in targets}, samples, rounds
        )
        for trial in trials:
            if trial.answered != {trial.target}:
                told = ", ".join(sorted(map(str, trial.answered)))
                raise EvaluationError(f"{told} answered where {trial.target} was asked for.")
        return trials
    async with private_stack(settings, targets, _teller(Console(stderr=True))) as private:
        async with watching(private.pid, private.names.values()) as memory:
            trials = await _through(private.grpc, None, private.names, samples, rounds)
        return [replace(trial, memory_bytes=memory[private.names[trial.target]]) for trial in trials]


async def load(
    settings: Settings, target: Target, counts: Sequence[int], seconds: float, *, running: str | None
) -> tuple[str, list[Level]]:
    """Keep each of `counts` requests in flight for so many seconds; return the device, and what was seen.

    `running`: the Triton to ask, HOST:PORT; None for a private one.

    Raises:
        EvaluationError: the model does not answer.
        StackError, ProgramExitedError, CardError: there is no engine.
    """
    report = _teller(Console(stderr=True))
    if running is not None:
        version = str(target.version) if target.version else ""
        async with open_client(running) as client:
            return await _load(Loader(client, target.model, version), counts, seconds, report)
    async with (
        private_stack(settings, [target], report, server=False) as private,
        open_client(private.triton) as client,
    ):
        return await _load(Loader(client, private.names[target]), counts, seconds, report)


async def _through(
    address: str, tls: Tls | None, names: Mapping[Target, str], samples: Sequence[Sample], rounds: int
) -> list[Trial]:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    async with connected(address, tls) as channel:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task(" and ".join(map(str, names)), total=len(samples))
            stub: images_pb2_grpc.ImageServiceAsyncStub = images_pb2_grpc.ImageServiceStub(channel)
            return await run_trials(stub, names, samples, rounds, lambda: progress.advance(bar))


async def _load(
    loader: Loader, counts: Sequence[int], seconds: float, report: Callable[[str], None]
) -> tuple[str, list[Level]]:
    await loader.prepare()
    levels = []
    for count in counts:
        report(f"{count} in flight, {seconds:g} s")
        levels.append(await loader.measure(count, seconds))
    return loader.device, levels


def _teller(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(text, highlight=False)

"""Many files through a service, a few at a time: what the commands that make files have in common."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence

import typer
from rich.console import Console

from cli.client import NoServerError
from cli.plan import Job


def run_batch(
    jobs: Sequence[Job],
    work: Callable[[Sequence[Job], Console], Coroutine[None, None, int]],
    verb: str,
    *,
    overwrite: bool,
) -> None:
    """Have `work` done for the jobs whose results are not there, or for all with `overwrite`; say how it went.

    `work` returns how many failed; `verb` says what was done to the others, for example `cut`. Raises typer.Exit(1)
    where some failed, or no server answers.
    """
    todo = [job for job in jobs if overwrite or not job.target.exists()]
    console = Console(stderr=True)
    try:
        failed = asyncio.run(work(todo, console)) if todo else 0
    except NoServerError as error:
        console.print(f"error: {error}")
        raise typer.Exit(1) from None
    typer.echo(f"{len(todo) - failed} {verb}, {len(jobs) - len(todo)} kept, {failed} failed")
    if failed:
        raise typer.Exit(1)


async def work_through(jobs: Sequence[Job], in_flight: int, do: Callable[[Job], Awaitable[bool]]) -> int:
    """Do the jobs, `in_flight` at a time, in order; return for how many `do` said that they failed, by False."""
    waiting, failed = iter(jobs), 0

    async def work() -> None:
        nonlocal failed
        for job in waiting:
            if not await do(job):
                failed += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(work())
    return failed

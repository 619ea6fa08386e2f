"""Which picture or video goes to which file: decided for all of them before the first is sent."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# In folders, files are taken by these endings; a file that is named itself is taken whatever its name.
PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})
VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".webm", ".mkv"})


class PlanError(Exception):
    """The paths cannot be worked on as they are given; the message says why."""


@dataclass(frozen=True)
class Job:
    """One picture or video to read and the file its result is written to."""

    source: Path
    target: Path


def plan_jobs(paths: Sequence[Path], out: Path, suffix: str, sources: frozenset[str] = PICTURE_SUFFIXES) -> list[Job]:
    """Lists the jobs for `paths`, in order; folders are walked to the bottom and keep their shape under `out`.

    `suffix`: of the results. `sources`: the endings by which files in folders are taken.

    `photo.jpg` becomes `out/photo` + `suffix`. Pictures that would share one result, such as `photo.jpg` beside
    `photo.png`, keep their whole names: `out/photo.jpg.png`, `out/photo.png.png`. Where `out` lies inside a folder,
    what is in it is no source. Raises PlanError for a path that is not there, results that still collide, and
    results that would overwrite a source.
    """
    by_target: dict[Path, list[tuple[Path, Path]]] = defaultdict(list)
    seen: set[Path] = set()
    for path in paths:
        for source, relative in _found(path, out.resolve(), sources):
            if source.resolve() not in seen:
                seen.add(source.resolve())
                by_target[out / relative.with_suffix(suffix)].append((source, relative))
    if not by_target:
        raise PlanError("nothing found; folders are searched for " + ", ".join(sorted(sources)))
    jobs = []
    for target, pictures in by_target.items():
        for source, relative in pictures:
            name = target if len(pictures) == 1 else out / f"{relative}{suffix}"
            jobs.append(Job(source=source, target=name))
    _check_targets(jobs)
    return jobs


def plan_one(source: Path, target: Path) -> Job:
    """The job of one file whose result has a name. Raises PlanError where that would overwrite the source."""
    job = Job(source, target)
    _check_targets([job])
    return job


def _found(path: Path, out: Path, sources: frozenset[str]) -> Iterator[tuple[Path, Path]]:
    """Yields each file of `path` with its place under the output folder."""
    if path.is_file():
        yield path, Path(path.name)
    elif path.is_dir():
        results = out if path.resolve() in out.parents else None
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in sources and file.is_file() and results not in file.resolve().parents:
                yield file, file.relative_to(path)
    else:
        raise PlanError(f"{path} does not exist")


def _check_targets(jobs: Sequence[Job]) -> None:
    sources = {job.source.resolve(): job.source for job in jobs}
    targets: dict[Path, Path] = {}
    for job in jobs:
        if job.target.resolve() in sources:
            raise PlanError(f"{job.target} is an input and would be overwritten; choose another place with -o")
        if other := targets.get(job.target):
            raise PlanError(f"{other} and {job.source} would both be written to {job.target}; cut them apart")
        targets[job.target] = job.source

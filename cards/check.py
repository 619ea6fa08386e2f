"""Whether the models of a repository are what their cards say: a flipped byte must be found before it is served."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from cards.card import CARD_FILE, ModelCard, read_card, read_config, version_folders, weights_file
from cards.errors import CardError
from cards.files import sha256_of
from cards.generation import GenerationCard, is_generation, read_generation_card
from cards.seal import broken_seal
from cards.target import Target
from cards.versions import model_folders
from cards.weights import broken_weights, lacking_weights


class State(Enum):
    """What stands on the disk: weights as the card says, no weights (they are not committed), or something else."""

    GOOD = "good"
    MISSING = "missing"
    WRONG = "wrong"


@dataclass(frozen=True)
class Inspection:
    """One version of a model; version 0 where the fault is the whole model's.

    `problem` is a sentence that names the file; "" for a good one.
    """

    target: Target
    state: State
    card: ModelCard | GenerationCard | None
    problem: str = ""

    @property
    def name(self) -> str:
        """The model's name."""
        return self.target.model


def inspect(repository: Path) -> list[Inspection]:
    """Look at every version in `repository`, in order, reading all weights (176 MB take about 0.2 s).

    Raises:
        CardError: `repository` is not a folder.
    """
    return [found for folder in model_folders(repository) for found in _inspect_folder(folder, None)]


def inspect_version(repository: Path, target: Target) -> Inspection:
    """Look at one version, reading its weights alone; version 0 is the one that is served where nobody says which."""
    found = _inspect_folder(repository / target.model, target.version)
    return next((one for one in found if one.state is State.WRONG), found[-1])


def check_hashes(repository: Path) -> list[str]:
    """A sentence for each version in `repository` that is not what its card says; [] if all may be served.

    Weights that are not there are no fault of this kind: cards are committed, weights are pulled when they are wanted.
    """
    return [found.problem for found in inspect(repository) if found.state is State.WRONG]


def _inspect_folder(folder: Path, version: int | None) -> list[Inspection]:
    """What is found of `version`, 0 for the default one, None for all; at least one."""
    try:
        config = read_config(folder)
        if config.name != folder.name:
            raise CardError(f"{folder / CARD_FILE} is the card of {config.name!r}, not of {folder.name!r}.")
        if is_generation(config):
            return _inspect_generation(folder, read_generation_card(folder, config), version)
        card = read_card(folder)
    except CardError as exc:
        return [Inspection(Target(folder.name), State.WRONG, None, str(exc))]
    wanted = sorted(card.versions) if version is None else [version or card.default]
    strangers = [] if version else _strange_versions(folder, card)
    return [_inspect_matting(folder, card, number) for number in wanted] + strangers


def _inspect_matting(folder: Path, card: ModelCard, version: int) -> Inspection:
    target, weights = Target(folder.name, version), folder / weights_file(version)
    # Whatever else lies in a version's folder could be served or read by the graph, and no hash speaks for it.
    strangers = [path for path in sorted(weights.parent.glob("**/*")) if path.is_file() and path != weights]
    if version not in card.versions:
        problem = f"{folder / CARD_FILE} tells of no version {version}: import it (clearcanvas models)."
    elif strangers:
        problem = _stranger(strangers[0], folder)
    elif not weights.is_file():
        problem = f"{weights} is not there: pull or import {folder.name!r} (clearcanvas models)."
        return Inspection(target, State.MISSING, card, problem)
    elif (actual := sha256_of(weights)) != (expected := card.versions[version].sha256):
        problem = f"{weights} is not what its card says: sha256 {actual} instead of {expected}."
    else:
        return Inspection(target, State.GOOD, card)
    return Inspection(target, State.WRONG, card, problem)


def _strange_versions(folder: Path, card: ModelCard) -> list[Inspection]:
    """The first file that Triton could take for a version's, and that the card does not tell of."""
    known = {str(version) for version in card.versions}
    files = (path for path in sorted(folder.glob("[0-9]*/**/*")) if path.is_file())
    strangers = [path for path in files if path.relative_to(folder).parts[0] not in known]
    return [Inspection(Target(folder.name), State.WRONG, card, _stranger(path, folder)) for path in strangers[:1]]


def _inspect_generation(folder: Path, card: GenerationCard, version: int | None) -> list[Inspection]:
    """One seal speaks for the code of all versions.

    Raises:
        CardError: the hashes are not there, or cannot be read.
    """
    if problem := broken_seal(folder):
        return [Inspection(Target(folder.name), State.WRONG, card, problem)]
    there = version_folders(folder)
    if not there or (version and version not in there):
        missing = version or 1
        return [Inspection(Target(folder.name, missing), State.WRONG, card, f"{folder / str(missing)} is not there.")]
    state, problem = State.GOOD, ""
    if lacking := lacking_weights(folder, card.weights):
        state, problem = State.MISSING, lacking
    elif broken := broken_weights(folder, card.weights):
        state, problem = State.WRONG, broken
    wanted = [version] if version else sorted(there)
    return [Inspection(Target(folder.name, number), state, card, problem) for number in wanted]


def _stranger(path: Path, folder: Path) -> str:
    return f"{path} is not in the card of {folder.name!r}, so nothing says what it should be."

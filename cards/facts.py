"""What a card says of each version, as `parameters` of Triton's configuration: those of version 2 are `sha256@2`, ….

Version 1 has the bare keys.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

Triple = tuple[float, float, float]

_KEY = re.compile(r"(?P<fact>[a-z0-9_]+)(@(?P<version>[1-9][0-9]{0,8}))?")


@dataclass(frozen=True)
class Facts:
    """What is known of one version of a matting model.

    `sha256`, `size`: of its weights as they are served, `size` in bytes. `source_sha256`: of the file that they were
    made from. `mean`, `std`: the normalisation folded into the graph, on the 0–255 scale, one value per channel in the
    order R, G, B. `quality`: what was measured of it, in words; "" where nobody has. `dynamic_batch`: the graph takes
    any number of pictures at once.
    """

    sha256: str
    size: int
    mean: Triple
    std: Triple
    license: str
    source: str
    source_sha256: str
    description: str
    quality: str = ""
    dynamic_batch: bool = True

    def parameters(self, version: int) -> dict[str, str]:
        """The facts as the parameters of version `version`."""
        texts = {
            "description": self.description,
            "license": self.license,
            "source": self.source,
            "source_sha256": self.source_sha256,
            "sha256": self.sha256,
            "size": str(self.size),
            "mean": " ".join(_digits(value) for value in self.mean),
            "std": " ".join(_digits(value) for value in self.std),
        }
        if self.quality:
            texts["quality"] = self.quality
        if not self.dynamic_batch:
            texts["batch"] = "1"
        return {key_of(fact, version): text for fact, text in texts.items()}


def key_of(fact: str, version: int) -> str:
    """The key of a version's fact."""
    return fact if version == 1 else f"{fact}@{version}"


def texts_by_version(parameters: Mapping[str, str]) -> dict[int, dict[str, str]]:
    """The facts of each version by their bare keys; whatever is no version's counts as the first one's."""
    found: dict[int, dict[str, str]] = {}
    for key, text in sorted(parameters.items()):
        if match := _KEY.fullmatch(key):
            found.setdefault(int(match["version"] or 1), {})[match["fact"]] = text
    return found


def read_facts(parameters: Mapping[str, str]) -> dict[int, Facts]:
    """The facts of each version that has a hash, in the order of their numbers.

    Raises:
        KeyError: a version lacks a fact, or there is none.
        ValueError: a fact is not what it should be.
    """
    texts = texts_by_version(parameters)
    versions = sorted(version for version in texts if key_of("sha256", version) in parameters)
    return {version: _facts(texts[version], version) for version in versions or [1]}


def _facts(texts: Mapping[str, str], version: int) -> Facts:
    try:
        return Facts(
            sha256=texts["sha256"],
            size=int(texts["size"]),
            mean=_triple(texts["mean"]),
            std=_triple(texts["std"]),
            license=texts["license"],
            source=texts["source"],
            source_sha256=texts["source_sha256"],
            description=texts["description"],
            quality=texts.get("quality", ""),
            dynamic_batch=texts.get("batch") != "1",
        )
    except KeyError as exc:
        raise KeyError(key_of(exc.args[0], version)) from exc


def _digits(value: float) -> str:
    """As short as reads back to the same number."""
    return repr(value).removesuffix(".0")


def _triple(text: str) -> Triple:
    red, green, blue = (float(value) for value in text.split())
    if not all(math.isfinite(value) for value in (red, green, blue)):
        raise ValueError("mean and std must be finite")
    return red, green, blue

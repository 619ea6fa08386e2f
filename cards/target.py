"""One version of one model, as people write it: `NAME@VERSION`."""

import re
from dataclasses import dataclass

_TARGET = re.compile(r"(?P<model>[A-Za-z0-9][A-Za-z0-9_.-]{0,63})(@(?P<version>[1-9][0-9]{0,8}))?")


@dataclass(frozen=True, order=True)
class Target:
    """A version of a model of the repository.

    `model`: the folder's name. `version`: the name of the folder in it that holds the weights, 1 or more; 0 for the one
    that Triton serves where nobody says which.
    """

    model: str
    version: int = 0

    def __str__(self) -> str:
        return f"{self.model}@{self.version}" if self.version else self.model


def parse_target(text: str) -> Target:
    """Read `NAME` or `NAME@VERSION`.

    Raises:
        ValueError: it is neither; the text is for whoever wrote it.
    """
    match = _TARGET.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} names no model: write NAME or NAME@VERSION, for example isnet@2")
    return Target(match["model"], int(match["version"] or 0))

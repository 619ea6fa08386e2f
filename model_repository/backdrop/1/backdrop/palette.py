"""Colours that go together, for prompts that name none, or one."""

import numpy as np

from backdrop.colour import lightness, srgb, tune
from backdrop.frame import Colour
from backdrop.stage import Stage

_PAPERS = ("#e9e6e1", "#dfe3e6", "#e8dccb", "#d9c3b0", "#c9d3c4", "#c7d5dd", "#e5cdc8", "#cfc8dc", "#b8bfc4", "#d8cfc0")
_DEEP = ("#2b2f36", "#33302e", "#24313b", "#2f2a3a", "#26352f", "#3a2a2a")
_PASTELS = ("#f6d6dc", "#d6e6f6", "#d9efdf", "#f8e9cf", "#e4dbf4", "#fbdccb")
_SETS = (
    ("#ff9a76", "#ffd59e", "#f2668b", "#7d5ba6"),
    ("#0f4c81", "#3fa7d6", "#9be7e0", "#f6f3d7"),
    ("#5b2a86", "#7785ac", "#9ac6c5", "#f7c1bb"),
    ("#ff6b6b", "#ffb997", "#843b62", "#0b032d"),
    ("#1d7874", "#57c4a9", "#d6f5d6", "#f4c095"),
    ("#f8c8dc", "#c3aed6", "#8fb8ed", "#fdf3e7"),
    ("#22223b", "#4a4e69", "#9a8c98", "#f2e9e4"),
    ("#e63973", "#6a2fb5", "#2548d0", "#22c1e0"),
    ("#f3e9dc", "#e0b896", "#c08552", "#7b4a34"),
    ("#cbe8ff", "#f3d1ff", "#ffe3c9", "#e4fff1"),
)


def backdrop_colours(stage: Stage, *, dark: bool = False) -> tuple[Colour, ...]:
    """What the prompt names, or one quiet colour by chance."""
    brief = stage.brief
    if stage.colours:
        return stage.colours
    papers: tuple[str, ...] = _PAPERS
    if brief.wants("pastel"):
        papers = _PASTELS
    elif dark or brief.wants("dark", "dramatic", "moody", "elegant"):
        papers = _DEEP
    elif brief.wants("minimal", "bright"):
        papers = ("#f3f2f0", "#eef0f2", "#f2ede6")
    return (srgb(str(stage.rng("paper").choice(papers))),)


def mesh_colours(stage: Stage) -> tuple[Colour, ...]:
    """At least four colours: the prompt's and their neighbours, or a set that goes together."""
    named = stage.brief.colours
    if not named:
        sets = _SETS[5:6] + _SETS[9:] if stage.brief.wants("pastel", "soft") else _SETS
        chosen = sets[int(stage.rng("set").integers(len(sets)))]
        return tuple(srgb(text) for text in chosen)
    colours = list(named)
    turns = (0.55, -0.5, 0.25, -0.25)
    for index in range(max(0, 5 - len(named))):
        source = named[index % len(named)]
        shift = 0.16 if lightness(source) < 0.55 or index % 2 == 0 else -0.16
        spread = 0.5 if len(named) > 1 else 1.0
        colours.append(tune(source, light=shift, turn=turns[index % 4] * spread, chroma=0.9))
    return tuple(colours)


def pick(stage: Stage, name: str, colours: tuple[Colour, ...], count: int) -> list[Colour]:
    """`count` of `colours`, by chance."""
    return [colours[int(index)] for index in stage.rng(name).integers(len(colours), size=count)]


def neutral(colour: Colour, chroma: float) -> Colour:
    """Greyer."""
    return np.asarray(tune(colour, chroma=chroma), dtype=np.float32)

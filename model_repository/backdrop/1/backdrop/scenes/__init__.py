"""The scenes, by the names that the vocabulary uses, and which of them a prompt means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from backdrop.frame import Picture
from backdrop.materials import MATERIALS
from backdrop.prompt import Brief
from backdrop.scenes import abstract, city, coast, hills, room, sky, studio, surfaces, table, terrain, woods
from backdrop.stage import Stage


@dataclass(frozen=True)
class Scene:
    """`grain`: standard deviation in steps of 1/255; `vignette`: how much darker the corners are."""

    paint: Callable[[Stage], Picture]
    grain: float = 0.8
    vignette: float = 0.12


SCENES: Mapping[str, Scene] = MappingProxyType(
    {
        "studio": Scene(studio.sweep, grain=0.5, vignette=0.1),
        "spotlight": Scene(studio.spotlight, vignette=0.2),
        "podium": Scene(studio.podium, grain=0.5, vignette=0.1),
        "room": Scene(room.room),
        "window": Scene(room.window, grain=0.6),
        "sky": Scene(sky.paint),
        "stars": Scene(sky.stars),
        "sea": Scene(coast.sea),
        "beach": Scene(coast.beach),
        "sunset": Scene(coast.sunset),
        "hills": Scene(hills.hills),
        "mountains": Scene(terrain.mountains),
        "desert": Scene(hills.desert),
        "snow": Scene(hills.snow),
        "forest": Scene(woods.forest, vignette=0.2),
        "meadow": Scene(woods.meadow),
        "city": Scene(city.city, grain=1.0, vignette=0.2),
        "mesh": Scene(abstract.mesh, grain=1.2, vignette=0),
        "waves3d": Scene(abstract.layers, grain=0.6, vignette=0.1),
        "bokeh": Scene(abstract.lights, vignette=0.25),
        **{name: Scene(surfaces.painter(name), grain=0.6, vignette=0.15) for name in MATERIALS},
    }
)
_IMPLIED = {
    "clouds": "sky",
    "sun": "sky",
    "stars": "stars",
    "moon": "stars",
    "leaves": "window",
    "blinds": "window",
    "autumn": "forest",
    "snow": "snow",
    "flowers": "meadow",
    "lavender": "meadow",
    "hills": "hills",
    "lights": "bokeh",
    "waves": "sea",
}
"""What a thing is part of, where no scene is named."""
_BY_TIME = {"dawn": "hills", "golden": "hills", "dusk": "sea", "night": "stars"}
_WEAK = ("bokeh", "sunset", "studio", "window", "sky")
"""Words that say how, where another one says what: "forest bokeh", "beach at sunset"."""
_FAR = ("forest", "meadow", "city", "bokeh", "hills", "mountains", "sea", "beach", "sunset", "sky", "snow", "desert")
"""What can be seen behind a table."""


def choose(stage: Stage) -> Scene:
    """The scene that a prompt means; what no word says, chance does."""
    brief = stage.brief
    named = brief.names("scene")
    if "table" in named:
        behind = next((SCENES[name].paint for name in named if name in _FAR), None)
        return Scene(partial(table.table, behind=behind), grain=0.7, vignette=0.18)
    if "window" in named and not set(named) - {"window", "room", "forest", *_WEAK}:
        return SCENES["window"]
    strong = [name for name in named if name not in _WEAK]
    if strong and not (strong == ["room"] and brief.names("material") and not brief.wants("wall", "floor")):
        return SCENES[strong[0]]
    return SCENES[_otherwise(stage, brief, named)]


def _otherwise(stage: Stage, brief: Brief, named: tuple[str, ...]) -> str:
    """No word names a scene outright."""
    candidates = [*brief.names("material"), *named]
    candidates += [_IMPLIED[name] for name in brief.names("feature") if name in _IMPLIED]
    candidates += [_BY_TIME[name] for name in brief.names("time") if name in _BY_TIME]
    allowed = [name for name in candidates if name in SCENES and brief.allows(name)]
    if allowed:
        return allowed[0]
    usual = ("studio", "mesh", "window", "podium") if brief.strange else ("studio",)
    free = [name for name in usual if brief.allows(name)] or ["paper"]
    return str(stage.rng("scene").choice(free))

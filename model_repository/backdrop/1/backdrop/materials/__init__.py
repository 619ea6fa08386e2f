"""Surfaces, as flat pictures of their colour: they fill a frame, and walls, floors and tables are made of them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from backdrop.frame import Frame, Picture
from backdrop.materials.marble import marble
from backdrop.materials.sheets import fabric, paper
from backdrop.materials.walls import brick, concrete
from backdrop.materials.wood import wood
from backdrop.stage import Stage

MATERIALS: Mapping[str, Callable[[Stage, Frame], Picture]] = MappingProxyType(
    {"marble": marble, "wood": wood, "paper": paper, "fabric": fabric, "concrete": concrete, "brick": brick}
)

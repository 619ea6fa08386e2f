"""The scenes, by the names that the vocabulary uses."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from backdrop.frame import Picture
from backdrop.scenes import studio
from backdrop.stage import Stage

PAINTERS: Mapping[str, Callable[[Stage], Picture]] = MappingProxyType({"studio": studio.paint})

"""One thing that a caller may choose: its names, how it is written, and what is taken without it.

An option is stated once; the forms are read by it, and the API's description is written from it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
D = TypeVar("D")

Json = Mapping[str, object]

_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")  # The longest that is in any range is 2**64 - 1.
# As programs write them, 0.1 + 0.2 and the smallest too.
_DECIMAL = re.compile(r"[+-]?([0-9]{1,9}(\.[0-9]{0,20})?|\.[0-9]{1,20})(e[+-]?[0-9]{1,3})?", re.IGNORECASE)


@dataclass(frozen=True)
class Option(Generic[T]):
    """A field of a form, or a parameter of a query."""

    names: tuple[str, ...]
    """The name, then its aliases; the first that is sent with a value counts."""
    parse: Callable[[str], T]
    """Reads a value, or raises ValueError with a reason that completes the sentence "`name` …"."""
    default: T
    """What an option that is not sent stands for."""
    schema: Json
    """JSON Schema of the value, with its description."""
    required: bool = False

    @property
    def name(self) -> str:
        """The first of its names."""
        return self.names[0]


def whole(name: str, least: int, most: int, default: D, description: str) -> Option[int | D]:
    """A whole number of `least` to `most`, both included."""

    def parse(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
            message = f"must be {least} to {most}"
            raise ValueError(message)
        return int(text)

    bounds: Json = {"type": "integer", "minimum": least, "maximum": most}
    return Option((name,), parse, default, _describe(bounds, description, default))


def decimal(name: str, least: int, most: int, default: D, description: str) -> Option[float | D]:
    """A number of `least` to `most`, both included."""

    def parse(text: str) -> float:
        if not _DECIMAL.fullmatch(text) or not least <= float(text) <= most:
            message = f"must be a number, {least} to {most}"
            raise ValueError(message)
        return float(text)

    bounds: Json = {"type": "number", "minimum": least, "maximum": most}
    return Option((name,), parse, default, _describe(bounds, description, default))


def choice(name: str, values: Mapping[str, T], default: str, description: str) -> Option[T]:
    """One of some words, in any case; `default` is one of them."""
    *others, last = values
    words = f"{', '.join(others)} or {last}"

    def parse(text: str) -> T:
        if text.lower() not in values:
            message = f"must be {words}"
            raise ValueError(message)
        return values[text.lower()]

    schema: Json = {"type": "string", "enum": list(values)}
    return Option((name,), parse, values[default], _describe(schema, description, default))


def written(
    names: tuple[str, ...],
    parse: Callable[[str], T],
    default: D,
    description: str,
    *examples: str,
    grammar: Json | str = "",
) -> Option[T | D]:
    """A value with a grammar of its own, which `description` tells and `examples` show.

    `grammar` says it to machines: a regular expression of the whole value, or what of a JSON Schema says it.
    """
    told = grammar if isinstance(grammar, Mapping) else {"pattern": match_whole(grammar)} if grammar else {}
    schema: Json = {"type": "string", **told, "description": description, "examples": list(examples)}
    return Option(names, parse, default, schema)


def match_whole(grammar: str) -> str:
    """A pattern for JSON Schema: spaces around a value do not count, and an empty one counts as not sent."""
    return rf"^\s*(?:{grammar})?\s*$"


def words(name: str, most: int, description: str, *, required: bool = False) -> Option[str]:
    """Text of at most `most` characters."""

    def parse(text: str) -> str:
        if len(text) > most:
            message = f"must have at most {most} characters"
            raise ValueError(message)
        return text

    needed: Json = {"minLength": 1, "pattern": r"[^\s\x1c-\x1f]"} if required else {}
    schema: Json = {"type": "string", **needed, "maxLength": most, "description": description}
    return Option((name,), parse, "", schema, required=required)


def _describe(schema: Json, description: str, default: object) -> Json:
    shown = {} if default is None else {"default": default}
    return {**schema, **shown, "description": description}

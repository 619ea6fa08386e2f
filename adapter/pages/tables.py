"""Rows of the guides' tables: the fields of the operations as their options state them, and what is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapter.discovery.refusals import BODY_REFUSALS, FORM_REFUSALS
from adapter.jobs.orders import VIDEO
from adapter.keys.key import NewKey
from adapter.operations import OPERATIONS, OUTPUT_OPTIONS, Operation
from adapter.options.option import Json, Option
from adapter.options.shadows import LOOKS, SHADOW
from adapter.payments.x402.networks import NETWORKS as X402_NETWORKS

__all__ = ["BODY_REFUSALS", "FORM_REFUSALS", "X402_NETWORKS"]

KEY_OPERATIONS = (*(operation.name for operation in OPERATIONS), VIDEO, "removebg")
"""What a key can be for."""
NEW_KEY = NewKey("")
"""A key of which nothing is said."""

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_READABLE = 10**12  # Larger bounds are powers of two, and written so.


@dataclass(frozen=True)
class Field:
    """One field, ready to be written."""

    key: str
    """By which its description is found in a language; with its operation's name where the field's means two things."""
    name: str
    aliases: Sequence[str]
    schema: Json
    required: bool

    @property
    def words(self) -> Sequence[str]:
        """What it may be, where these are words."""
        words: Any = self.schema.get("enum", ())
        return tuple(words)

    @property
    def examples(self) -> Sequence[str]:
        """How it may look, where it has a grammar of its own."""
        examples: Any = self.schema.get("examples", ())
        return tuple(examples)

    @property
    def bounds(self) -> str:
        """What it may be, where it is a number."""
        least, most = self.schema.get("minimum"), self.schema.get("maximum")
        if not isinstance(least, int) or not isinstance(most, int):
            return ""
        return f"{_write(least)}{'–' if least >= 0 else ' … '}{_write(most)}"


def _make(option: Option[Any], owner: str = "") -> Field:
    key = f"{owner}.{option.name}" if owner and option.name in _AMBIGUOUS else option.name
    return Field(key, option.name, option.names[1:], option.schema, option.required)


def _find_ambiguous() -> frozenset[str]:
    kinds: dict[str, set[int]] = {}
    for operation in OPERATIONS:
        for option in operation.options:
            kinds.setdefault(option.name, set()).add(id(option))
    return frozenset(name for name, found in kinds.items() if len(found) > 1)


_AMBIGUOUS = _find_ambiguous()
COMMON = tuple(_make(option) for option in OUTPUT_OPTIONS)
"""What every operation takes."""
SHADOWS = tuple(_make(option) for option in (SHADOW, *LOOKS))
"""What every operation with a background takes beside that."""


def list_own(operation: Operation) -> Sequence[Field]:
    """What an operation alone takes."""
    shared = {id(option) for option in (SHADOW, *LOOKS) if SHADOW in operation.options}
    return [_make(option, operation.name) for option in operation.own_options if id(option) not in shared]


def _write(number: int) -> str:
    if number < _READABLE:
        return str(number).replace("-", "\N{MINUS SIGN}")
    return f"2{str(number.bit_length()).translate(_SUPERSCRIPTS)} \N{MINUS SIGN} 1"

"""Typed reading of form fields, all mistakes in one answer."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from adapter.errors import InvalidFieldsError

T = TypeVar("T")


class Fields:
    """Reads the text fields of one form and collects what is wrong with them.

    Fields that no reader asks for are ignored, as the public clients of this surface expect.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._mistakes: dict[str, str] = {}

    def take(self, parse: Callable[[str], T], *names: str, default: T) -> T:
        """Parses the first of `names` that was sent; an empty value counts as not sent.

        A `ValueError` of `parse` is kept for `check` under the name that was sent.
        """
        for name in names:
            value = self._values.get(name, "").strip()
            if not value:
                continue
            try:
                return parse(value)
            except ValueError as error:
                self.reject(name, str(error))
                return default
        return default

    def reject(self, name: str, reason: str) -> None:
        """Notes that the field `name` is wrong; `reason` completes the sentence "`name` …"."""
        self._mistakes[name] = reason

    def check(self) -> None:
        """Raises InvalidFieldsError when anything was wrong."""
        if self._mistakes:
            raise InvalidFieldsError(self._mistakes)

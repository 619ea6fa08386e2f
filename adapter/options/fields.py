"""Typed reading of form fields, all mistakes in one answer."""

from collections.abc import Mapping
from typing import TypeVar

from adapter.errors import InvalidFieldsError
from adapter.options.option import Option

T = TypeVar("T")


class Fields:
    """Reads the text fields of one form and collects what is wrong with them.

    Fields that no reader asks for are ignored, as the public clients of this surface expect.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._mistakes: dict[str, str] = {}

    def take(self, option: Option[T]) -> T:
        """The option's value; an empty one counts as not sent. What cannot be read is kept for `check`."""
        name = self.sent_name(option)
        if name is None:
            if option.required:
                self.reject(option.name, "is required")
            return option.default
        try:
            return option.parse(self.text(name))
        except ValueError as error:
            self.reject(name, str(error))
            return option.default

    def sent_name(self, option: Option[T]) -> str | None:
        """The first of the option's names that came with a value."""
        return next((name for name in option.names if self.text(name)), None)

    def text(self, name: str) -> str:
        """The field `name` as it came, without spaces around it; empty where it did not."""
        return self._values.get(name, "").strip()

    def reject(self, name: str, reason: str) -> None:
        """Notes that the field `name` is wrong; `reason` completes the sentence "`name` …"."""
        self._mistakes[name] = reason

    def check(self) -> None:
        """Raises InvalidFieldsError when anything was wrong."""
        if self._mistakes:
            raise InvalidFieldsError(self._mistakes)

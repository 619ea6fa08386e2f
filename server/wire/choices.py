"""The wire's enums to the service's own."""

from collections.abc import Mapping
from typing import TypeVar

from server.errors import InvalidParameterError

K = TypeVar("K", bound=int)
T = TypeVar("T")


def known(values: Mapping[K, T], sent: K, field: str) -> T:
    """The value that `sent` stands for. Raises `InvalidParameterError` naming `field` where it is none of them."""
    if sent not in values:
        raise InvalidParameterError(f"{field} is not known.", {"field": field})
    return values[sent]

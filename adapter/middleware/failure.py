"""What the caller is told of a failure, whatever the shape of the surface."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

_RETRYABLE = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


@dataclass(frozen=True)
class Failure:
    """One failure, ready to be written as an answer."""

    status: HTTPStatus
    code: str
    """The machine's word for it, in lower case with underscores."""
    message: str
    detail: str = ""
    """What else there is to say, on surfaces that have a place for it."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with each of the request's fields."""
    retry_after_s: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    of_payment: bool = False
    """Whether it is the payment that was refused."""

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status >= HTTPStatus.INTERNAL_SERVER_ERROR or self.status in _RETRYABLE

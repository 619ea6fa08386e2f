"""Bounds the memory that uploads hold together."""

from types import TracebackType
from typing import Self

from prometheus_client import Gauge

from adapter.errors import OverloadedError


class UploadBudget:
    """Counts the bytes of all uploads in flight. A permit is tried for, never queued for.

    Bytes are counted as they arrive and not as they are announced: a client that announces 25 MiB and
    sends nothing takes nothing away from the others.
    """

    def __init__(self, limit_bytes: int, gauge: Gauge | None = None) -> None:
        """`gauge` shows what is taken."""
        self._limit_bytes = limit_bytes
        if gauge is not None:
            gauge.set_function(lambda: self.used_bytes)
        self.used_bytes = 0

    def reserve(self) -> "Reservation":
        """Opens the account of one upload; use it as a context manager."""
        return Reservation(self)

    def take(self, size: int) -> None:
        """Counts `size` bytes more.

        Raises:
            OverloadedError: The sum would be over the limit.
        """
        if self.used_bytes + size > self._limit_bytes:
            message = "Too many uploads are in progress. Try again later."
            raise OverloadedError(message)
        self.used_bytes += size

    def give_back(self, size: int) -> None:
        """Counts `size` bytes less."""
        self.used_bytes -= size


class Reservation:
    """What one upload has taken from the budget; given back when its context ends."""

    def __init__(self, budget: UploadBudget) -> None:
        self._budget = budget
        self._taken = 0

    def grow(self, size: int) -> None:
        """Takes `size` bytes more, or raises OverloadedError."""
        self._budget.take(size)
        self._taken += size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._budget.give_back(self._taken)
        self._taken = 0

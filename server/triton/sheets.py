"""Shared memory for orders of pictures: IMAGE, MASK and the painted IMAGE lie one behind another in one region."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from tritonclient.grpc import InferenceServerClient

from server.errors import OverloadedError
from server.triton.contract import CHANNEL_OPTIONS
from server.triton.regions import Region

_WORTH = 1 << 20  # bytes; for fewer, asking Triton to map them takes longer than sending them

_ATTEMPTS, _PAUSE_S = 10, 0.005


class Sheets:
    """One worker's shared memory for orders. Not for threads.

    A sheet lives as long as its order. It is tens of megabytes large and seldom needed, so a worker keeps none; and
    what Triton still writes after a deadline can be nobody else's picture.
    """

    def __init__(self, address: str, prefix: str, owner: int) -> None:
        """`prefix`, `owner`: what the regions' names begin with, and the process id that comes next in them."""
        self._client = InferenceServerClient(address, channel_args=CHANNEL_OPTIONS)
        self._names = (f"{prefix}-{owner}-{number}-sheet" for number in count())
        self._left: list[Region] = []

    @contextmanager
    def lent(self, size: int) -> Iterator[Region | None]:
        """A region of `size` bytes for one order; None where it does not pay, or where there is no memory left.

        Raises `InferenceServerException` when Triton refuses.
        """
        region = self._new(size)
        if region is None:
            yield None
            return
        try:
            yield region
        finally:
            self._left.append(region)
            self._give_back()

    def _give_back(self) -> None:
        """Triton keeps what an inference still uses, and lets go of it just after its answer.

        What it keeps for longer, as a call was given up, it is asked for again after the next order.
        """
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_PAUSE_S)
            self._left = [left for left in self._left if not left.release(self._client)]
            if not self._left:
                return

    def _new(self, size: int) -> Region | None:
        if size < _WORTH:
            return None
        try:
            return Region(self._client, next(self._names), size)
        except OverloadedError:
            return None

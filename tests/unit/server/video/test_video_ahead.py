"""Work that runs ahead: not far, in order, and never longer than it is wanted."""

import threading
from collections.abc import Iterator

import pytest

from server.video.ahead import ahead

MOST = 3


class Made:
    """Numbers, and how many were made."""

    def __init__(self, end: int, fails: bool = False) -> None:  # noqa: FBT001, FBT002
        self.count = 0
        self._end, self._fails = end, fails

    def items(self) -> Iterator[int]:
        for number in range(self._end):
            self.count += 1
            yield number
        if self._fails:
            raise ValueError("broken")


def test_items_come_in_order_and_few_wait() -> None:
    made, taken = Made(100), []
    with ahead(made.items(), MOST) as items:
        for item in items:
            taken.append(item)
            # Those that wait, the one that is taken, and the one that has no room yet.
            assert made.count <= len(taken) + MOST + 1
    assert taken == list(range(100))


def test_what_goes_wrong_is_told_after_what_was_made() -> None:
    taken: list[int] = []
    with pytest.raises(ValueError, match="broken"), ahead(Made(5, fails=True).items(), MOST) as items:
        taken.extend(items)
    assert not taken or taken == list(range(5))


def test_nobody_works_for_who_went_away() -> None:
    made, threads = Made(10**9), threading.active_count()
    with ahead(made.items(), MOST) as items:
        assert next(items) == 0
    assert threading.active_count() == threads
    assert made.count <= MOST + 2

"""Work that runs ahead of who asks for it, in a thread of its own.

FFmpeg, OpenCV and the model's wire let go of Python's lock while they work: decoding, composing and encoding take the
time of the slowest, not of all together.
"""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")
_LOOK_S = 0.1  # how long a producer waits for room before it looks whether anybody still listens


@contextmanager
def ahead(items: Iterator[Item], most: int) -> Iterator[Iterator[Item]]:
    """Have `items` made in a thread, `most` of them at a time waiting. What making them raises, asking for them does.

    With the end of the context the thread has ended too, whether all of them were asked for or not.
    """
    producer = _Producer(items, most)
    producer.thread.start()
    try:
        yield producer.taken()
    finally:
        producer.closed.set()
        producer.thread.join()


class _Producer(Generic[Item]):
    def __init__(self, items: Iterator[Item], most: int) -> None:
        self._items = items
        self._ready: queue.Queue[list[Item]] = queue.Queue(most)  # of one item each; the end is an empty one
        self._failure: BaseException | None = None
        self.closed = threading.Event()
        self.thread = threading.Thread(target=self._make, daemon=True)

    def taken(self) -> Iterator[Item]:
        while item := self._ready.get():
            yield item[0]
        if self._failure is not None:
            raise self._failure

    def _make(self) -> None:
        try:
            for item in self._items:
                if not self._offer([item]):
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where the items are asked for
            self._failure = error
        self._offer([])

    def _offer(self, item: list[Item]) -> bool:
        while not self.closed.is_set():
            try:
                self._ready.put(item, timeout=_LOOK_S)
            except queue.Full:
                continue
            return True
        return False

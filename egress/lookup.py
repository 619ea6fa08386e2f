"""The addresses of a name, from the system's resolver."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence

Lookup = Callable[[str], Awaitable[Sequence[str]]]
"""Name → its addresses. Raises OSError where it has none."""

_THREADS = 32  # A name server that does not answer holds one for half a minute.


class SystemLookup:
    """Asks the system's resolver.

    It cannot be told to stop, and whoever owns a name decides how long it takes. So each question has a thread of its
    own, of a bounded number, and a process that stops waits for none of them.
    """

    def __init__(self, threads: int = _THREADS) -> None:
        self._free = asyncio.Semaphore(threads)

    async def __call__(self, name: str) -> Sequence[str]:
        """The addresses of `name`. Raises OSError where there are none."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[str]] = loop.create_future()

        def finish(addresses: Sequence[str], error: OSError | None) -> None:
            self._free.release()
            if answer.cancelled():
                return
            if error is None:
                answer.set_result(addresses)
            else:
                answer.set_exception(error)

        def ask() -> None:
            addresses, error = _look_up(name)
            with contextlib.suppress(RuntimeError):  # The loop is closed: the process stops.
                loop.call_soon_threadsafe(finish, addresses, error)

        threading.Thread(target=ask, name="lookup", daemon=True).start()
        return await answer


def _look_up(name: str) -> tuple[Sequence[str], OSError | None]:
    try:
        answers = socket.getaddrinfo(name.encode(), None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except OSError as error:
        return (), error
    return [str(address[0]) for *_, address in answers], None

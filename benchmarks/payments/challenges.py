"""How many 402 an adapter answers in a second, on the one core that it uses."""

import asyncio
import time
from urllib.parse import urlsplit

from benchmarks.load import FailedError

_CONNECTIONS = 16
_END = b"\r\n\r\n"


async def rate_of_challenges(url: str, seconds: float) -> float:
    """Answers a second to empty requests without payment, over kept connections, for `seconds`.

    The requests are written and the answers cut apart by hand: a real client would need more time than the adapter.
    Raises FailedError where an answer is not a 402.
    """
    target = urlsplit(url)
    request = (
        f"POST {target.path} HTTP/1.1\r\nHost: {target.netloc}\r\nContent-Type: image/png\r\nContent-Length: 0\r\n\r\n"
    ).encode()
    stop = time.perf_counter() + seconds

    async def ask() -> int:
        reader, writer = await asyncio.open_connection(target.hostname, target.port)
        answers = 0
        while time.perf_counter() < stop:
            writer.write(request)
            head = await reader.readuntil(_END)
            if not head.startswith(b"HTTP/1.1 402"):
                raise FailedError(f"instead of a 402: {head.splitlines()[0].decode()}")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            answers += 1
        writer.close()
        return answers

    began = time.perf_counter()
    answers = sum(await asyncio.gather(*(ask() for _ in range(_CONNECTIONS))))
    return answers / (time.perf_counter() - began)

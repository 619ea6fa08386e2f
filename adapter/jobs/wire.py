"""What of an answer has reached the other side: sent is not received, and a result is removed once it was received."""

import asyncio
import fcntl
import socket
import struct
import sys
import termios
from types import TracebackType
from typing import Self

_LOOKS_S = 0.001, 0.05  # From one look to the next, first and later: near clients acknowledge at once.
# Linux's struct tcp_info: the state first, tcpi_bytes_acked after 8 single bytes, 24 words and two rates.
_STATE, _BYTES_ACKED, _INFO_BYTES = 0, 120, 192
_TCP_CLOSE = 7
_ALL = sys.maxsize


class Wire:
    """Looks at the socket of one connection, also after its peer has hung up: a copy of it is kept meanwhile.

    The kernel knows what the peer's has acknowledged. Behind a proxy, the peer is the proxy. Where the system does not
    tell (it is not Linux), what was written counts as received.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._socket: socket.socket | None = None
        self._before = 0

    def __enter__(self) -> Self:
        peer = self._transport.get_extra_info("socket")
        if sys.platform == "linux" and peer is not None and peer.fileno() >= 0:
            self._socket = peer.dup()
            # What an earlier answer on the connection has still on its way comes before this one.
            self._before = self._acknowledged() + self._waiting()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            self._socket.close()

    def received(self) -> int:
        """How many of the bytes that were written since the context began have been acknowledged."""
        return _ALL if self._socket is None else max(0, self._acknowledged() - self._before)

    def was_reset(self) -> bool:
        """Whether the peer broke the connection off; it may have left what it acknowledged unread."""
        return self._socket is not None and self._info()[_STATE] == _TCP_CLOSE

    async def settle(self, written: int, timeout_s: float) -> None:
        """Waits until `written` bytes are acknowledged, the connection is over, or `timeout_s` have passed."""
        pause_s, longest_s = _LOOKS_S
        try:
            async with asyncio.timeout(timeout_s):
                while self.received() < written and not self._transport.is_closing():
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, longest_s)
        except TimeoutError:
            pass

    def _info(self) -> bytes:
        assert self._socket is not None  # noqa: S101 - asked only where there is one.
        return self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)

    def _acknowledged(self) -> int:
        return int(struct.unpack_from("=Q", self._info(), _BYTES_ACKED)[0])

    def _waiting(self) -> int:
        """Bytes that the kernel has and the peer's has not, as far as ours knows."""
        assert self._socket is not None  # noqa: S101 - as above.
        return int(struct.unpack("i", fcntl.ioctl(self._socket, termios.TIOCOUTQ, bytes(4)))[0])

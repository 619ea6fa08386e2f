"""The real adapter as a process, and raw HTTP to speak with it."""

import asyncio
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

BOUNDARY = "frontier"
FORM_TYPE = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"


@dataclass
class Answer:
    """A response as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class AdapterProcess:
    """A running `python -m adapter`."""

    process: asyncio.subprocess.Process
    port: int
    log: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def peak_memory_mib(self) -> float:
        """The most memory that the process held since `forget_peak_memory`."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def forget_peak_memory(self) -> float:
        """Begins a new measurement; returns what is held now, in MiB."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="utf-8")
        return self.peak_memory_mib

    async def logged(self, *words: str) -> None:
        """Waits for a line of the log that has all of `words`."""
        async with asyncio.timeout(30):
            while not any(all(word in line for word in words) for line in self.log):  # noqa: ASYNC110 - a plain list.
                await asyncio.sleep(0.01)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator["RawConnection"]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield RawConnection(reader, writer)
        finally:
            writer.close()


@dataclass
class RawConnection:
    """One TCP connection, on which a test may say anything."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def post(self, path: str, *headers: str, body: bytes = b"") -> None:
        lines = [f"POST {path} HTTP/1.1", "Host: test", *headers]
        await self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    async def read_answer(self) -> Answer:
        """Reads one response; its body needs a Content-Length."""
        async with asyncio.timeout(30):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(status.split()[1]), headers, body)

    async def read_to_end(self) -> bytes:
        """Reads until the adapter closes the connection, which it may do with a reset."""
        received = b""
        async with asyncio.timeout(30):
            try:
                while chunk := await self.reader.read(65536):
                    received += chunk
            except ConnectionResetError:
                pass
        return received


def form(image: bytes | None = b"picture", **fields: str) -> bytes:
    """A multipart body with the fields first and the image last."""
    parts = [f'Content-Disposition: form-data; name="{k}"\r\n\r\n{v}'.encode() for k, v in fields.items()]
    if image is not None:
        disposition = (
            b'Content-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        )
        parts.append(disposition + image)
    return b"".join(b"--%s\r\n%s\r\n" % (BOUNDARY.encode(), part) for part in parts) + b"--%s--\r\n" % BOUNDARY.encode()


@asynccontextmanager
async def run_adapter(grpc_address: str, *, log_level: str = "INFO", **settings: str) -> AsyncIterator[AdapterProcess]:
    """Starts the adapter on a free port; `settings` are CLEARCANVAS_* variables in lower case without the prefix."""
    with tempfile.TemporaryDirectory(prefix="clearcanvas-adapter-") as data:
        names = {"http": "127.0.0.1:0", "grpc": grpc_address, "data": data, "metrics": "127.0.0.1:0", **settings}
        async with _run(names, log_level) as adapter:
            yield adapter


@asynccontextmanager
async def _run(names: Mapping[str, str], log_level: str) -> AsyncIterator[AdapterProcess]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CLEARCANVAS_")}
    environment = clean | {f"CLEARCANVAS_{name.upper()}": value for name, value in names.items()}
    # As it is, but for the level of its log.
    program = ("adapter",) if log_level == "INFO" else ("tests.support.paid_adapter", "never", log_level)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *program, env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    adapter = AdapterProcess(process, 0)
    try:
        async with asyncio.timeout(30):
            while not adapter.port:
                line = (await process.stderr.readline()).decode()
                assert line, "the adapter ended: " + "".join(adapter.log)
                adapter.log.append(line)
                if match := re.search(r"listening on http://127\.0\.0\.1:(\d+)", line):
                    adapter.port = int(match[1])
        follower = asyncio.create_task(_follow(process.stderr, adapter.log))
        yield adapter
        follower.cancel()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _follow(stream: asyncio.StreamReader, log: list[str]) -> None:
    while line := await stream.readline():
        log.append(line.decode())

"""Lets a caller that speaks no TLS through to a server that wants it, with a certificate."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support.processes import free_address
from transport.tls import Tls


@contextmanager
def relayed(address: str, tls: Tls) -> Iterator[str]:
    """HOST:PORT of a relay to `address`; what either end closes is closed at the other."""
    context = ssl.create_default_context(cafile=str(tls.ca))
    context.load_cert_chain(tls.cert, tls.key)
    context.set_alpn_protocols(["h2"])
    loop, here = asyncio.new_event_loop(), free_address()
    host, port = address.split(":")

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname=tls.name)
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

    own_host, own_port = here.split(":")
    server = loop.run_until_complete(asyncio.start_server(relay, own_host, int(own_port)))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield here
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()

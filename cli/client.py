"""One picture through the gRPC service: request in, file out."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
from clearcanvas.v1 import images_pb2, images_pb2_grpc

import transport.channels
from transport.retries import PATIENT
from transport.tls import CertificateError, Tls

# The contract's own bound for a picture; a larger file is not even read.
MAX_IMAGE_BYTES = 25 * 1024 * 1024
_MAX_REQUEST_BYTES = 2 * MAX_IMAGE_BYTES + 1024 * 1024  # A picture, another behind it, and what is around them.
_MAX_ANSWER_BYTES = 4 * 1024 * 1024  # Chunks of 1 MiB; sixteen previews.

_CONNECT_LIMIT_S = 5.0


class NoServerError(Exception):
    """Nobody answers at the address; the message is a sentence for the user."""


class EditFailedError(Exception):
    """One picture could not be edited; the message is a sentence for the user."""


def open_channel(address: str, tls: Tls | None = None) -> grpc.aio.Channel:
    """Opens a channel that retries as the service asks. Close it, or use it as a context manager."""
    return transport.channels.open_channel(
        address,
        tls=tls,
        health="clearcanvas.v1.JobService",  # What a server serves as long as it is there.
        retries=PATIENT,
        max_send_bytes=_MAX_REQUEST_BYTES,
        max_receive_bytes=_MAX_ANSWER_BYTES,
    )


@asynccontextmanager
async def connected(address: str, tls: Tls | None = None) -> AsyncIterator[grpc.aio.Channel]:
    """Yields such a channel to a server that is there. Raises NoServerError when none answers."""
    try:
        channel = open_channel(address, tls)
    except (ValueError, CertificateError) as error:
        raise NoServerError(str(error)) from error
    async with channel:
        try:
            await asyncio.wait_for(channel.channel_ready(), _CONNECT_LIMIT_S)
        except TimeoutError:
            raise NoServerError(f"no server answers at {address}; start one with: clearcanvas up") from None
        yield channel


async def edit_file(
    stub: "images_pb2_grpc.ImageServiceAsyncStub",  # A name of the type stubs alone.
    source: Path,
    target: Path,
    template: images_pb2.EditRequest,
    timeout_s: float,
) -> None:
    """Edits `source` as `template` says and writes the result to `target`, whole or not at all.

    Raises EditFailedError when the file cannot be read or written, or the service refuses or fails.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        request = images_pb2.EditRequest(image=await asyncio.to_thread(_read, source))
        request.MergeFrom(template)
        target.parent.mkdir(parents=True, exist_ok=True)
        await _receive(stub, request, partial, timeout_s)
        partial.replace(target)
    except OSError as error:
        raise EditFailedError(str(error)) from error
    except grpc.aio.AioRpcError as error:
        raise EditFailedError(error.details() or error.code().name) from error
    finally:
        partial.unlink(missing_ok=True)


def _read(source: Path) -> bytes:
    if source.stat().st_size > MAX_IMAGE_BYTES:
        raise EditFailedError(f"larger than {MAX_IMAGE_BYTES // 1024**2} MiB")
    return source.read_bytes()


async def _receive(
    stub: "images_pb2_grpc.ImageServiceAsyncStub", request: images_pb2.EditRequest, partial: Path, timeout_s: float
) -> None:
    expected = received = 0
    with partial.open("xb") as file:
        async for response in stub.Edit(request, timeout=timeout_s):
            if response.WhichOneof("part") == "header":
                expected = response.header.size
            else:
                received += file.write(response.chunk)
    if not received or received != expected:
        raise EditFailedError(f"the server sent {received} bytes of {expected}")

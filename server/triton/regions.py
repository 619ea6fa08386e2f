"""Shared memory between a worker and Triton."""

import mmap
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from server.errors import OverloadedError

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - it is shared memory that is wanted
CONTROL_TIMEOUT_S = 5.0  # Registering is a memory mapping; a Triton that needs longer is away.


class Region:
    """A piece of shared memory that Triton has mapped under `name`.

    Its file is unlinked as soon as Triton has it, so however this process ends nothing is left in /dev/shm; what
    Triton itself holds is given back when the region is unregistered (see `server.triton.monitor`).
    """

    def __init__(self, client: InferenceServerClient, name: str, size: int) -> None:
        """Make `size` bytes and register them.

        Raises `OverloadedError` when there is no memory left, `InferenceServerException` when Triton refuses.
        """
        self.name = name
        self.size = size
        with _new_file(SHARED_MEMORY / name, size) as descriptor:
            self._memory = mmap.mmap(descriptor, size)
            client.register_system_shared_memory(name, f"/{name}", size, client_timeout=CONTROL_TIMEOUT_S)

    def known(self, client: InferenceServerClient) -> bool:
        """Whether Triton still knows the region: one that was restarted does not."""
        return self.name in client.get_system_shared_memory_status(client_timeout=CONTROL_TIMEOUT_S).regions

    def release(self, client: InferenceServerClient) -> bool:
        """Ask Triton to forget the region. False when it must be asked again: not while an inference still uses it."""
        try:
            client.unregister_system_shared_memory(self.name, client_timeout=CONTROL_TIMEOUT_S)
        except InferenceServerException:
            return False
        return True

    def array(self, shape: tuple[int, ...], offset: int = 0) -> NDArray[np.uint8]:
        """The region's bytes from `offset` on as a writable uint8 array of `shape`."""
        return np.ndarray(shape, np.uint8, self._memory, offset)

    def point(self, tensor: InferInput | InferRequestedOutput, size: int) -> None:
        """Have Triton read the tensor from the region's first `size` bytes, or write it there."""
        tensor.set_shared_memory(self.name, size)

    def lay(self, parameters: Mapping[str, Any], size: int, offset: int) -> None:
        """The same for the `parameters` of a raw request's tensor, and the `size` bytes from `offset` on."""
        parameters["shared_memory_region"].string_param = self.name
        parameters["shared_memory_byte_size"].int64_param = size
        parameters["shared_memory_offset"].int64_param = offset


@contextmanager
def _new_file(path: Path, size: int) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            os.posix_fallocate(descriptor, 0, size)  # Full shared memory is an error here, not a SIGBUS later.
        except OSError as error:
            raise OverloadedError("The service is out of shared memory.") from error
        yield descriptor
    finally:
        os.close(descriptor)
        path.unlink()

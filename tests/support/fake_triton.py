"""A Triton that answers whatever a test wants: real gRPC and real shared memory, no model."""
# ruff: noqa: N802 - gRPC's names

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc

Context = grpc.ServicerContext
SIZE = 16


@dataclass
class FakeTriton(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc] # tritonclient has no types
    """One model, `fake`, 16 x 16. alpha = the picture's red channel. Everything it says can be changed."""

    image_shape: tuple[int, ...] = (-1, SIZE, SIZE, 3)
    image_type: str = "UINT8"
    alpha_shape: tuple[int, ...] = (-1, SIZE, SIZE)
    outputs: tuple[str, ...] = ("ALPHA", "DEVICE")
    answers: tuple[str, ...] = ("ALPHA", "DEVICE")  # what an inference really returns
    answer_shape: tuple[int, ...] = (1, SIZE, SIZE)
    answer_type: str = "UINT8"
    kind: int | None = None
    listed: tuple[str, ...] = ("fake",)
    loaded: bool = True
    delay_s: float = 0.0
    fail_with: tuple[grpc.StatusCode, str] | None = None
    regions: dict[str, Path] = field(default_factory=dict)
    in_use: set[str] = field(default_factory=set)
    time_remaining_s: list[float] = field(default_factory=list)
    carried: list[tuple[str, str]] = field(default_factory=list)  # traceparent: header and parameter of an inference
    inferences: int = 0
    versions: list[str] = field(default_factory=list)  # that were asked for, empty for none
    ready_questions: int = 0

    def __post_init__(self) -> None:
        self.released = threading.Event()
        self._memory: dict[str, NDArray[np.uint8]] = {}

    def ModelReady(self, _request: Any, _context: Context) -> Any:
        self.ready_questions += 1
        return service_pb2.ModelReadyResponse(ready=self.loaded)

    def ModelMetadata(self, request: Any, context: Context) -> Any:
        name = request.name
        if name != "fake" or not self.loaded:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Request for unknown model: '{name}' at /secret/path")
        tensor = service_pb2.ModelMetadataResponse.TensorMetadata
        types = {"ALPHA": ("UINT8", self.alpha_shape), "DEVICE": ("BYTES", (-1, 1))}
        return service_pb2.ModelMetadataResponse(
            name="fake",
            inputs=[tensor(name="IMAGE", datatype=self.image_type, shape=self.image_shape)],
            outputs=[tensor(name=key, datatype=types[key][0], shape=types[key][1]) for key in self.outputs],
        )

    def ModelConfig(self, _request: Any, _context: Context) -> Any:
        config = model_config_pb2.ModelConfig(name="fake", backend="onnxruntime")
        if self.kind is not None:
            config.instance_group.add(kind=self.kind)
        return service_pb2.ModelConfigResponse(config=config)

    def RepositoryIndex(self, _request: Any, _context: Context) -> Any:
        index = service_pb2.RepositoryIndexResponse.ModelIndex
        return service_pb2.RepositoryIndexResponse(models=[index(name=name) for name in self.listed])

    def SystemSharedMemoryStatus(self, _request: Any, _context: Context) -> Any:
        answer = service_pb2.SystemSharedMemoryStatusResponse()
        for name in self.regions:
            answer.regions[name].name = name
        return answer

    def SystemSharedMemoryRegister(self, request: Any, context: Context) -> Any:
        name, key = request.name, request.key
        path = Path("/dev/shm") / key.lstrip("/")
        if name in self.regions or not path.exists():
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"cannot register {name}")
        self.regions[name] = path
        self._memory[name] = np.memmap(path, np.uint8)
        return service_pb2.SystemSharedMemoryRegisterResponse()

    def SystemSharedMemoryUnregister(self, request: Any, context: Context) -> Any:
        name = request.name
        if name in self.in_use:
            context.abort(grpc.StatusCode.INTERNAL, f"Shared memory region '{name}' is in use")
        self.regions.pop(name, None)
        return service_pb2.SystemSharedMemoryUnregisterResponse()

    def ModelInfer(self, request: Any, context: Context) -> Any:
        self.inferences += 1
        self.versions.append(request.model_version)
        self.time_remaining_s.append(context.time_remaining())
        sent = {key: str(value) for key, value in context.invocation_metadata()}
        self.carried.append((sent.get("traceparent", ""), request.parameters["traceparent"].string_param))
        if self.fail_with is not None:
            context.abort(*self.fail_with)
        self.released.wait(self.delay_s)
        used = [tensor.parameters for tensor in (*request.inputs, *request.outputs)]
        names = [p["shared_memory_region"].string_param for p in used if "shared_memory_region" in p]
        if missing := [name for name in names if name not in self.regions]:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Unable to find shared memory region: '{missing[0]}'")
        if names:
            image = np.array(self._memory[names[0]][: SIZE * SIZE * 3])
        else:
            image = np.frombuffer(request.raw_input_contents[0], np.uint8)
        alpha = image.reshape(SIZE, SIZE, 3)[..., 0]
        answer = service_pb2.ModelInferResponse(model_name="fake", model_version=request.model_version or "1")
        for name in self.answers:
            self._answer(answer, name, alpha, names[1] if names else None)
        return answer

    def _answer(self, answer: Any, name: str, alpha: NDArray[np.uint8], region: str | None) -> None:
        if name == "DEVICE":
            answer.outputs.add(name=name, datatype="BYTES", shape=(1, 1))
            device = b"cpu/fake/f32"
            answer.raw_output_contents.append(len(device).to_bytes(4, "little") + device)
            return
        output = answer.outputs.add(name=name, datatype=self.answer_type, shape=self.answer_shape)
        if region is None:
            answer.raw_output_contents.append(alpha.tobytes())
        else:
            self._memory[region][: alpha.size] = alpha.ravel()
            output.parameters["shared_memory_region"].string_param = region
            answer.raw_output_contents.append(b"")


@contextmanager
def running_fake(fake: FakeTriton, address: str = "127.0.0.1:0") -> Iterator[str]:
    """Serve `fake`; yields the address."""
    server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(fake, server)
    port = server.add_insecure_port(address)
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        fake.released.set()
        server.stop(0).wait()

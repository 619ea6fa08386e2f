"""A Triton with one generation model that answers whatever a test wants: real gRPC and shared memory, no model."""
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

INPUTS = ("PROMPT", "NEGATIVE_PROMPT", "IMAGE", "MASK", "SEED", "STEPS")


@dataclass
class FakePainter(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc] # tritonclient has no types
    """One model, `fake`: it paints the mask in the grey (seed mod 256). Everything it says can be changed."""

    inputs: tuple[str, ...] = INPUTS
    outputs: tuple[str, ...] = ("IMAGE", "DEVICE")
    decoupled: bool = False
    max_batch_size: int = 0
    parameters: dict[str, str] = field(
        default_factory=lambda: {"method": "procedural", "max_side": "64", "multiple": "8"}
    )
    image_type: str = "UINT8"
    image_shape: tuple[int, ...] | None = None  # in the place of the true one
    image_bytes: int | None = None  # how many are sent
    answers: tuple[str, ...] = ("IMAGE", "DEVICE")
    progress: tuple[float, ...] = (0.25, 0.5, 1.0)
    ends_with_picture: bool = True
    listed: dict[str, str] = field(default_factory=lambda: {"fake": "READY"})  # states by name
    fail_with: tuple[grpc.StatusCode, str] | None = None
    stream_error: str = ""
    delay_s: float = 0.0
    pause_s: float = 0.0  # after the last progress
    asked: list[Any] = field(default_factory=list)
    config_questions: int = 0
    regions: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    registered: list[str] = field(default_factory=list)  # names of all regions that there were
    in_use: bool = False  # whether regions are refused back

    def __post_init__(self) -> None:
        self.released = threading.Event()
        self.cancelled = threading.Event()

    def ModelConfig(self, request: Any, context: Context) -> Any:
        self.config_questions += 1
        if request.name != "fake":
            context.abort(grpc.StatusCode.NOT_FOUND, f"Request for unknown model: '{request.name}' at /secret/path")
        config = model_config_pb2.ModelConfig(name="fake", backend="python", max_batch_size=self.max_batch_size)
        for name in self.inputs:
            config.input.add(name=name)
        for name in self.outputs:
            config.output.add(name=name)
        for key, value in self.parameters.items():
            config.parameters[key].string_value = value
        config.model_transaction_policy.decoupled = self.decoupled
        return service_pb2.ModelConfigResponse(config=config)

    def RepositoryIndex(self, _request: Any, _context: Context) -> Any:
        index = service_pb2.RepositoryIndexResponse.ModelIndex
        models = [index(name=name, state=state) for name, state in self.listed.items()]
        return service_pb2.RepositoryIndexResponse(models=models)

    def SystemSharedMemoryRegister(self, request: Any, _context: Context) -> Any:
        self.registered.append(request.name)
        self.regions[request.name] = np.memmap(Path("/dev/shm") / request.key.lstrip("/"), np.uint8)
        return service_pb2.SystemSharedMemoryRegisterResponse()

    def SystemSharedMemoryUnregister(self, request: Any, context: Context) -> Any:
        if self.in_use:
            context.abort(grpc.StatusCode.INTERNAL, f"Shared memory region '{request.name}' is in use")
        self.regions.pop(request.name, None)
        return service_pb2.SystemSharedMemoryUnregisterResponse()

    def ModelInfer(self, request: Any, context: Context) -> Any:
        targets = [target for tensor in request.outputs if (target := self._shared(tensor)) is not None]
        sent = iter(list(request.raw_input_contents))
        del request.raw_input_contents[:]
        for tensor in request.inputs:
            shared = self._shared(tensor)
            request.raw_input_contents.append(next(sent) if shared is None else shared.tobytes())
        self._begin(request, context)
        answer = self._picture(request)
        for target in targets:  # IMAGE, which is the first output
            data = np.frombuffer(answer.raw_output_contents[0], np.uint8)
            target[: data.size] = data
            answer.raw_output_contents[0] = b""
        return answer

    def _shared(self, tensor: Any) -> NDArray[np.uint8] | None:
        if not tensor.parameters:
            return None
        start = tensor.parameters["shared_memory_offset"].int64_param
        region = self.regions[tensor.parameters["shared_memory_region"].string_param]
        return region[start : start + tensor.parameters["shared_memory_byte_size"].int64_param]

    def ModelStreamInfer(self, requests: Any, context: Context) -> Any:
        request = next(requests)
        self._begin(request, context)
        for done in self.progress:
            answer = service_pb2.ModelInferResponse(model_name="fake")
            _add(answer, "PROGRESS", "FP32", (1,), np.float32(done).tobytes())
            _add(answer, "IMAGE", "UINT8", (0, 0, 3), b"")
            yield service_pb2.ModelStreamInferResponse(infer_response=answer)
        self.released.wait(self.pause_s)
        if self.stream_error:
            yield service_pb2.ModelStreamInferResponse(error_message=self.stream_error)
        elif self.ends_with_picture:
            yield service_pb2.ModelStreamInferResponse(infer_response=self._picture(request))

    def _begin(self, request: Any, context: Context) -> None:
        self.asked.append(request)
        context.add_callback(self.cancelled.set)
        if self.fail_with is not None:
            context.abort(*self.fail_with)
        self.released.wait(self.delay_s)

    def _picture(self, request: Any) -> Any:
        values = inputs_of(request)
        image = np.where(values["MASK"][..., None] == 255, np.uint8(int(values["SEED"][0]) % 256), values["IMAGE"])
        data = image.tobytes()[: self.image_bytes]
        answer = service_pb2.ModelInferResponse(model_name="fake")
        if "IMAGE" in self.answers:
            _add(answer, "IMAGE", self.image_type, self.image_shape or image.shape, data)
        if "DEVICE" in self.answers:
            device = b"cpu/fake/uint8"
            _add(answer, "DEVICE", "BYTES", (1,), len(device).to_bytes(4, "little") + device)
        return answer


def inputs_of(request: Any) -> dict[str, NDArray[Any]]:
    """What a request says, by input; words as bytes."""
    types = {"UINT8": np.uint8, "UINT64": np.uint64, "INT32": np.int32}
    values: dict[str, NDArray[Any]] = {}
    for tensor, data in zip(request.inputs, request.raw_input_contents, strict=True):
        if tensor.datatype == "BYTES":
            assert int.from_bytes(data[:4], "little") == len(data) - 4
            values[tensor.name] = np.array([data[4:]], np.object_)
        else:
            values[tensor.name] = np.frombuffer(data, types[tensor.datatype]).reshape(tensor.shape)
    return values


def _add(answer: Any, name: str, datatype: str, shape: tuple[int, ...], data: bytes) -> None:
    answer.outputs.add(name=name, datatype=datatype, shape=shape)
    answer.raw_output_contents.append(data)


@contextmanager
def running_painter(fake: FakePainter) -> Iterator[str]:
    """Serve `fake`; yields the address."""
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(fake, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        fake.released.set()
        server.stop(0).wait()

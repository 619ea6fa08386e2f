"""A canary for generation models: one small picture, painted by half, held against the contract."""

import struct
import time

import grpc
import numpy as np
from tritonclient.grpc import InferResult, service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

from cards.generation import GenerationCard
from engine.models.errors import CanaryError

_SIDE = 256
_STEPS = 2  # Enough to go through every part of a diffusion model.
_WORDS = b"a plain wall"


def paint(address: str, card: GenerationCard, timeout_s: float) -> tuple[str, float]:
    """Have the model of `card` paint the left half of a grey picture; return (device, seconds).

    Raises:
        CanaryError: it did not answer within `timeout_s`, or outside the contract.
    """
    side = min(card.max_side // card.multiple, -(-_SIDE // card.multiple)) * card.multiple
    started = time.monotonic()
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            answer = _ask(service_pb2_grpc.GRPCInferenceServiceStub(channel), card, _request(card, side), timeout_s)
        except grpc.RpcError as exc:
            raise CanaryError(f"{card.name} did not answer: {exc.details()}") from exc
        except InferenceServerException as exc:
            raise CanaryError(f"{card.name} did not answer: {exc.message()}") from exc
    image, device = answer.as_numpy("IMAGE"), answer.as_numpy("DEVICE")
    if image is None or image.shape != (side, side, 3) or image.dtype != np.uint8:
        found = "nothing" if image is None else f"{image.dtype} {image.shape}"
        raise CanaryError(f"{card.name} gave {found} as IMAGE instead of uint8 {(side, side, 3)}.")
    return device.flat[0].decode() if device is not None else "unknown", time.monotonic() - started


def _request(card: GenerationCard, side: int) -> service_pb2.ModelInferRequest:
    mask = np.zeros((side, side), np.uint8)
    mask[:, : side // 2] = 255
    request = service_pb2.ModelInferRequest(model_name=card.name)
    for name, datatype, shape, data in (
        ("PROMPT", "BYTES", [1], struct.pack("<I", len(_WORDS)) + _WORDS),
        ("NEGATIVE_PROMPT", "BYTES", [1], struct.pack("<I", 0)),
        ("IMAGE", "UINT8", [side, side, 3], bytes([128]) * (side * side * 3)),
        ("MASK", "UINT8", [side, side], mask.tobytes()),
        ("SEED", "UINT64", [1], struct.pack("<Q", 1)),
        ("STEPS", "INT32", [1], struct.pack("<i", min(_STEPS, card.default_steps))),
    ):
        request.inputs.add(name=name, datatype=datatype, shape=shape)
        request.raw_input_contents.append(data)
    return request


def _ask(
    stub: service_pb2_grpc.GRPCInferenceServiceStub,
    card: GenerationCard,
    request: service_pb2.ModelInferRequest,
    timeout_s: float,
) -> InferResult:
    """The last answer, which holds the picture."""
    if not card.decoupled:
        return InferResult(stub.ModelInfer(request, timeout=timeout_s))
    last = None
    for answer in stub.ModelStreamInfer(iter([request]), timeout=timeout_s):
        if answer.error_message:
            raise InferenceServerException(answer.error_message)
        last = answer.infer_response
    if last is None:
        raise InferenceServerException("it ended without an answer")
    return InferResult(last)

"""The contract of generation models, and how Triton's answers are held to it. It is said in docs/models.md."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferResult, model_config_pb2, service_pb2

from cards.target import Target
from server.errors import InvalidParameterError
from server.generation import Prompt
from server.triton.contract import DEVICE, IMAGE, PROMPT, outside_contract, triton_version
from server.triton.regions import Region
from telemetry.request import traceparent
from telemetry.traces import HEADER

MASK, NEGATIVE_PROMPT, SEED, STEPS, PROGRESS = "MASK", "NEGATIVE_PROMPT", "SEED", "STEPS", "PROGRESS"

_INPUTS = {PROMPT, NEGATIVE_PROMPT, IMAGE, MASK, SEED, STEPS}
_METHODS = {"procedural", "diffusion"}


@dataclass(frozen=True)
class GenerationFacts:
    """What Triton says of a generation model."""

    name: str
    method: str  # procedural or diffusion
    max_side: int  # pixels
    multiple: int  # pixels
    decoupled: bool  # answers through a stream, and tells PROGRESS
    version: int = 0  # 0 for the highest that is loaded


def read_generation_facts(config: model_config_pb2.ModelConfig, version: int = 0) -> GenerationFacts:
    """Hold a model's configuration to the contract.

    Raises `InvalidParameterError` when it is another kind of model, `ModelUnavailableError` when it means to be a
    generation model and is not as the contract says.
    """
    inputs = {tensor.name for tensor in config.input}
    if PROMPT not in inputs:
        raise InvalidParameterError(f"The model {config.name} makes no pictures.", {"field": "generated.model"})
    parameters = {key: config.parameters[key].string_value for key in config.parameters}
    decoupled = config.model_transaction_policy.decoupled
    outputs = {IMAGE, DEVICE, PROGRESS} if decoupled else {IMAGE, DEVICE}
    if inputs != _INPUTS or {tensor.name for tensor in config.output} != outputs or config.max_batch_size:
        raise outside_contract(config.name)
    facts = GenerationFacts(
        config.name,
        parameters.get("method", ""),
        _number(parameters, "max_side"),
        _number(parameters, "multiple"),
        decoupled,
        version,
    )
    if facts.method not in _METHODS or not 1 <= facts.multiple <= facts.max_side:
        raise outside_contract(config.name)
    return facts


def sheet_size(image: NDArray[np.uint8], mask: NDArray[np.uint8]) -> int:
    """Bytes of a region for one generation: IMAGE, MASK, the painted IMAGE."""
    return 2 * image.nbytes + mask.nbytes


def write_request(
    facts: GenerationFacts, prompt: Prompt, image: NDArray[np.uint8], mask: NDArray[np.uint8], sheet: Region | None
) -> service_pb2.ModelInferRequest:
    """The question for one generation. `image`: (H, W, 3), `mask`: (H, W); uint8, of sides that the model takes.

    `sheet`: where they are handed over, and the answer comes; None sends them with the question.
    """
    height, width = mask.shape
    if image.shape != (height, width, 3) or image.dtype != np.uint8 or mask.dtype != np.uint8:
        raise ValueError(f"no picture with its mask: {image.dtype} {image.shape}, {mask.dtype} {mask.shape}")
    if height % facts.multiple or width % facts.multiple or max(height, width) > facts.max_side:
        raise ValueError(f"the model paints sides in steps of {facts.multiple} up to {facts.max_side}")
    target = Target(facts.name, facts.version)
    request = service_pb2.ModelInferRequest(model_name=facts.name, model_version=triton_version(target))
    for name, datatype, shape, data in (
        (PROMPT, "BYTES", (1,), _words(prompt.text)),
        (NEGATIVE_PROMPT, "BYTES", (1,), _words(prompt.negative)),
        (IMAGE, "UINT8", image.shape, image),
        (MASK, "UINT8", mask.shape, mask),
        (SEED, "UINT64", (1,), prompt.seed.to_bytes(8, "little")),
        (STEPS, "INT32", (1,), prompt.steps.to_bytes(4, "little")),
    ):
        tensor = request.inputs.add(name=name, datatype=datatype, shape=shape)
        if isinstance(data, bytes):
            request.raw_input_contents.append(data)
        elif sheet is None:
            request.raw_input_contents.append(data.tobytes())
        else:
            offset = 0 if name == IMAGE else image.nbytes
            sheet.array(data.shape, offset)[...] = data
            sheet.lay(tensor.parameters, data.nbytes, offset)
    if place := traceparent.get():
        request.parameters[HEADER].string_param = place
    if sheet is not None:
        sheet.lay(request.outputs.add(name=IMAGE).parameters, image.nbytes, image.nbytes + mask.nbytes)
        request.outputs.add(name=DEVICE)
    return request


def read_image(
    answer: InferResult, facts: GenerationFacts, shape: tuple[int, ...], sheet: Region | None
) -> NDArray[np.uint8] | None:
    """IMAGE of an answer, (H, W, 3) uint8; None where a decoupled model only tells how far it is.

    Raises `ModelUnavailableError` when it is no picture of `shape`.
    """
    output = answer.get_output(IMAGE)
    if facts.decoupled and (output is None or 0 in output.shape):
        return None
    if output is None or output.datatype != "UINT8" or tuple(output.shape) != shape:
        raise outside_contract(facts.name)
    if sheet is not None:
        return sheet.array(shape, sheet.size - math.prod(shape)).copy()
    return _array(answer, IMAGE, facts).astype(np.uint8, copy=False)


def read_progress(answer: InferResult, facts: GenerationFacts) -> float | None:
    """PROGRESS, 0 to 1; None where it has none. Raises `ModelUnavailableError` when it is anything else."""
    if answer.get_output(PROGRESS) is None:
        return None
    value = _array(answer, PROGRESS, facts)
    if value.dtype != np.float32 or value.size != 1 or not math.isfinite(value[0]) or not 0 <= value[0] <= 1:
        raise outside_contract(facts.name)
    return float(value[0])


def read_where(answer: InferResult, facts: GenerationFacts) -> str:
    """DEVICE of an answer. Raises `ModelUnavailableError` when it has none."""
    value = None if answer.get_output(DEVICE) is None else _array(answer, DEVICE, facts)
    if value is None or value.size != 1 or not isinstance(value.flat[0], bytes):
        raise outside_contract(facts.name)
    return bytes(value.flat[0]).decode(errors="replace")


def _array(answer: InferResult, name: str, facts: GenerationFacts) -> NDArray[np.generic]:
    """An output, which the answer names. Its bytes may be fewer or more than its shape says."""
    try:
        value: NDArray[np.generic] | None = answer.as_numpy(name)
    except ValueError:
        raise outside_contract(facts.name) from None
    if value is None:
        raise outside_contract(facts.name)
    return value


def _number(parameters: Mapping[str, str], name: str) -> int:
    text = parameters.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() else 0


def _words(text: str) -> bytes:
    """One element of Triton's BYTES: its length, little-endian, and itself."""
    data = text.encode()
    return len(data).to_bytes(4, "little") + data

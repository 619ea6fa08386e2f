"""The model contract, and how Triton's answers are held to it."""

from dataclasses import dataclass

from tritonclient.grpc import InferResult, model_config_pb2, service_pb2
from tritonclient.utils import InferenceServerException

from cards.target import Target
from server.errors import InvalidParameterError, ModelNotFoundError, ModelUnavailableError, ServiceError

IMAGE, ALPHA, DEVICE, PROMPT = "IMAGE", "ALPHA", "DEVICE", "PROMPT"

_RECONNECT_MS = 250

RECONNECT_S = 1.2 * _RECONNECT_MS / 1000
"""Seconds after Triton is there until no channel waits any more before it connects; gRPC adds a fifth by chance."""

# No proxy between the server and its Triton, whatever the environment says; and after Triton was away, look for
# it soon: gRPC's own pause grows to two minutes.
CHANNEL_OPTIONS: list[tuple[str, int]] = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", _RECONNECT_MS),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
]

_UNKNOWN = {"StatusCode.NOT_FOUND", "StatusCode.UNAVAILABLE"}  # Triton says the latter of a version.

_KINDS = {
    model_config_pb2.ModelInstanceGroup.KIND_CPU: "cpu",
    model_config_pb2.ModelInstanceGroup.KIND_GPU: "gpu",
}


@dataclass(frozen=True)
class ModelFacts:
    """What Triton says of one version of a matting model."""

    target: Target  # version 0 for the highest that is loaded
    size: tuple[int, int]  # height, width of IMAGE and ALPHA
    reports_device: bool  # whether it has the output DEVICE, `device/runtime/precision`
    configured_device: str  # `device/runtime` by its configuration

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs to ask for."""
        return (ALPHA, DEVICE) if self.reports_device else (ALPHA,)


def read_facts(
    target: Target, metadata: service_pb2.ModelMetadataResponse, config: model_config_pb2.ModelConfig
) -> ModelFacts:
    """Hold a model's description to the contract.

    Raises `InvalidParameterError` when it is a generation model, `ModelUnavailableError` when it is none of ours.
    """
    inputs = {tensor.name: tensor for tensor in metadata.inputs}
    if PROMPT in inputs:
        raise InvalidParameterError(f"The model {metadata.name} cuts nothing out.", {"field": "model"})
    outputs = {tensor.name: tensor for tensor in metadata.outputs}
    image, alpha = inputs.get(IMAGE), outputs.get(ALPHA)
    if set(inputs) != {IMAGE} or image is None or alpha is None:
        raise outside_contract(metadata.name)
    height, width = image.shape[1:3] if len(image.shape) == 4 else (0, 0)
    if (
        (image.datatype, alpha.datatype) != ("UINT8", "UINT8")
        or list(image.shape[1:]) != [height, width, 3]
        or list(alpha.shape[1:]) != [height, width]
        or min(height, width) < 1
    ):
        raise outside_contract(metadata.name)
    kind = config.instance_group[0].kind if config.instance_group else None
    device = f"{_KINDS.get(kind, 'unknown')}/{config.backend or config.platform}"
    return ModelFacts(target, (height, width), DEVICE in outputs, device)


def check_alpha(result: InferResult, facts: ModelFacts) -> None:
    """Raise `ModelUnavailableError` when the answer's ALPHA is missing, or not uint8 of the model's size."""
    alpha = result.get_output(ALPHA)
    if alpha is None or alpha.datatype != "UINT8" or tuple(alpha.shape) != (1, *facts.size):
        raise outside_contract(facts.target.model)


def read_device(result: InferResult, facts: ModelFacts) -> str:
    """Where the inference ran. Raises `ModelUnavailableError` when the model should have said and did not."""
    if not facts.reports_device:
        return facts.configured_device
    answer = result.as_numpy(DEVICE)
    if answer is None or answer.size != 1:
        raise outside_contract(facts.target.model)
    return str(answer.flat[0].decode())


def outside_contract(model: str) -> ModelUnavailableError:
    """The error for a model that is not what the contract says."""
    return ModelUnavailableError(f"The model {model} answered outside its contract.", {"model": model})


def triton_version(target: Target) -> str:
    """The version as Triton's calls have it; empty for the highest that is loaded."""
    return str(target.version) if target.version else ""


def answered_version(result: InferResult) -> int:
    """The version that made an answer; 0 where Triton does not say."""
    version = result.get_response().model_version
    return int(version) if version.isdecimal() else 0


def not_found(target: Target, field: str) -> ModelNotFoundError:
    """The error for a model that Triton does not hold. `field`: of the request, that names it."""
    return ModelNotFoundError(f"There is no model named {target}.", {"model": target.model, "field": field})


def translate(error: InferenceServerException, target: Target, *, listed: bool, field: str = "model") -> ServiceError:
    """Triton's error as ours. Its text is not passed on: it names regions, addresses and files.

    `listed`: whether the repository holds the model. Triton calls one that is there and not loaded, as during a
    swap or a recovery, "unknown" as well. `field`: of the request, that names the model.
    """
    if error.status() in _UNKNOWN and not listed:
        return not_found(target, field)
    model = target.model
    if error.status() == "StatusCode.DEADLINE_EXCEEDED":
        return ModelUnavailableError(f"The model {model} did not answer in time.", {"model": model})
    return ModelUnavailableError(f"The model {model} cannot answer now.", {"model": model})

"""The card of a generation model: its `config.pbtxt`, written by hand and held to the contract.

PROMPT, NEGATIVE_PROMPT, IMAGE, MASK, SEED, STEPS in, IMAGE out; see docs/models.md.
"""

from dataclasses import dataclass
from pathlib import Path

from tritonclient.grpc import model_config_pb2 as pb

from cards.card import CARD_FILE, parameters_of
from cards.errors import CardError

METHODS = frozenset({"procedural", "diffusion"})

_INPUTS = {
    "PROMPT": (pb.TYPE_STRING, [1]),
    "NEGATIVE_PROMPT": (pb.TYPE_STRING, [1]),
    "IMAGE": (pb.TYPE_UINT8, [-1, -1, 3]),
    "MASK": (pb.TYPE_UINT8, [-1, -1]),
    "SEED": (pb.TYPE_UINT64, [1]),
    "STEPS": (pb.TYPE_INT32, [1]),
}
_OUTPUTS = {"IMAGE": (pb.TYPE_UINT8, [-1, -1, 3]), "DEVICE": (pb.TYPE_STRING, [1])}
_DECOUPLED_OUTPUTS = _OUTPUTS | {"PROGRESS": (pb.TYPE_FP32, [1])}


@dataclass(frozen=True)
class GenerationCard:
    """What is known of one generation model.

    `method`: procedural or diffusion. `max_side`: the longest side that it paints, `multiple`: what both sides are
    multiples of, in pixels. `environment`: what Triton's environment must have been installed with, `weights`: the
    folder of its weights below its own; both "" where it needs none.
    """

    name: str
    license: str
    source: str
    description: str
    method: str
    max_side: int
    multiple: int
    default_steps: int
    decoupled: bool
    environment: str = ""
    weights: str = ""


def is_generation(config: pb.ModelConfig) -> bool:
    """Whether a model's configuration is that of a generation model: it takes words."""
    return any(tensor.name == "PROMPT" for tensor in config.input)


def read_generation_card(folder: Path, config: pb.ModelConfig) -> GenerationCard:
    """Read the card of the generation model in `folder` from its configuration.

    Raises:
        CardError: it does not follow the contract, or lacks a parameter.
    """
    path = folder / CARD_FILE
    decoupled = config.model_transaction_policy.decoupled
    outputs = _DECOUPLED_OUTPUTS if decoupled else _OUTPUTS
    for tensors, contract in ((config.input, _INPUTS), (config.output, outputs)):
        if {tensor.name: (tensor.data_type, list(tensor.dims)) for tensor in tensors} != contract:
            wanted = ", ".join(f"{name} {pb.DataType.Name(kind)} {dims}" for name, (kind, dims) in contract.items())
            raise CardError(f"{path} does not follow the contract of generation models: it must have {wanted}.")
    if config.max_batch_size:
        raise CardError(f"{path} has a max_batch_size: generation models paint one picture at a time.")
    parameters = parameters_of(config)
    try:
        card = GenerationCard(
            name=config.name,
            license=parameters["license"],
            source=parameters["source"],
            description=parameters["description"],
            method=parameters["method"],
            max_side=int(parameters["max_side"]),
            multiple=int(parameters["multiple"]),
            default_steps=int(parameters["default_steps"]),
            decoupled=decoupled,
            environment=parameters.get("environment", ""),
            weights=parameters.get("weights", ""),
        )
    except KeyError as exc:
        raise CardError(f"{path} has no parameter {exc}.") from exc
    except ValueError as exc:
        raise CardError(f"{path} does not follow the contract of generation models: {exc}") from exc
    if card.method not in METHODS or not 1 <= card.multiple <= card.max_side or card.default_steps < 1:
        raise CardError(f"{path}: method must be one of {sorted(METHODS)}, 1 ≤ multiple ≤ max_side, default_steps ≥ 1.")
    return card

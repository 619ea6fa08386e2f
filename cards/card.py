"""The card of a matting model: `config.pbtxt` for every machine, `configs/cpu.pbtxt` for one without a GPU.

Both say the model contract (IMAGE uint8 [batch, H, W, 3] sRGB in, ALPHA uint8 [batch, H, W] out) and carry licence,
source and hashes as `parameters`, where Triton shows them and machine-learning engineers look. Triton picks the second
with `--model-config-name=cpu`; an `instance_group` in the first would bind it to one kind of machine.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as pb

from cards.errors import CardError

CARD_FILE = "config.pbtxt"
CPU_CARD_FILE = "configs/cpu.pbtxt"
WEIGHTS_FILE = "1/model.onnx"

# Enough for a GPU to be busy with 1024² pictures, and 8 × 4 MiB of input and output stays small.
_MAX_BATCH = 8

# Triton's word for ONNX Runtime's threads within one operator.
_THREADS = "intra_op_thread_count"

_HEADER = """\
# Written by `clearcanvas models import`, not by hand.
# sha256 is that of 1/model.onnx, source_sha256 that of the file it was made from.
"""


@dataclass(frozen=True)
class ModelCard:
    """What is known of one model.

    `height`, `width`: pixels of the model's view. `mean`, `std`: the normalisation folded into the graph, on the 0–255
    scale, one value per channel in the order R, G, B. `dynamic_batch`: the graph takes any number of pictures at once.
    `threads`: of the CPU, for a network so small that more cost more than they bring; None for all.
    """

    name: str
    height: int
    width: int
    sha256: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    license: str
    source: str
    source_sha256: str
    description: str
    dynamic_batch: bool = True
    threads: int | None = None

    def parameters(self) -> dict[str, str]:
        """The card's facts that Triton has no field for."""
        threads = {} if self.threads is None else {_THREADS: str(self.threads)}
        return threads | {
            "description": self.description,
            "license": self.license,
            "source": self.source,
            "source_sha256": self.source_sha256,
            "sha256": self.sha256,
            "mean": " ".join(_digits(value) for value in self.mean),
            "std": " ".join(_digits(value) for value in self.std),
        }


def portable_config(card: ModelCard) -> pb.ModelConfig:
    """The card for any machine: Triton itself chooses the device and the number of instances."""
    config = pb.ModelConfig(
        name=card.name,
        backend="onnxruntime",
        max_batch_size=_MAX_BATCH if card.dynamic_batch else 1,
        input=[pb.ModelInput(name="IMAGE", data_type=pb.TYPE_UINT8, dims=[card.height, card.width, 3])],
        output=[pb.ModelOutput(name="ALPHA", data_type=pb.TYPE_UINT8, dims=[card.height, card.width])],
    )
    for key, value in card.parameters().items():
        config.parameters[key].string_value = value
    if card.dynamic_batch:
        config.dynamic_batching.SetInParent()
    return config


def cpu_config(card: ModelCard) -> pb.ModelConfig:
    """The card for a CPU: one picture at a time in one instance that has all cores, as batches and instances only tie.

    The accelerators are in order of preference: OpenVINO in bf16 where the CPU has it, MNN elsewhere, where it is the
    faster one. A network with its own number of threads is left to ONNX Runtime: where one took 2 ms, OpenVINO gained
    nothing. The output DEVICE says which one runs; Triton's C++ backend has no such output, so only this card does.
    """
    config = portable_config(card)
    config.max_batch_size = 1
    config.ClearField("dynamic_batching")
    config.output.add(name="DEVICE", data_type=pb.TYPE_STRING, dims=[1])
    config.instance_group.add(count=1, kind=pb.ModelInstanceGroup.KIND_CPU)
    if card.threads is not None:
        return config
    accelerators = config.optimization.execution_accelerators.cpu_execution_accelerator
    accelerators.add(name="openvino", parameters={"precision": "bf16"})
    accelerators.add(name="mnn")
    return config


def render_card(card: ModelCard) -> dict[str, str]:
    """The text of both files of `card`, by their paths in the model's folder; the same card gives the same text."""
    configs = {CARD_FILE: portable_config(card), CPU_CARD_FILE: cpu_config(card)}
    return {file: _HEADER + text_format.MessageToString(config, as_utf8=True) for file, config in configs.items()}


def write_card(card: ModelCard, folder: Path) -> None:
    """Write both files of `card` under `folder`, which is the model's own."""
    for file, text in render_card(card).items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def read_config(folder: Path) -> pb.ModelConfig:
    """Read the `config.pbtxt` of the model in `folder`, of whatever kind.

    Raises:
        CardError: it is missing, or is not protobuf text.
    """
    path = folder / CARD_FILE
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), pb.ModelConfig())
    except FileNotFoundError as exc:
        raise CardError(f"{path} is missing: this is no model of the repository.") from exc
    except (text_format.ParseError, UnicodeDecodeError) as exc:
        raise CardError(f"{path} is not a Triton model configuration: {exc}") from exc


def read_card(folder: Path) -> ModelCard:
    """Read the card of the model in `folder` back from its `config.pbtxt`.

    Raises:
        CardError: the file is missing, is not protobuf text, or lacks a part of the contract.
    """
    config, path = read_config(folder), folder / CARD_FILE
    parameters = {key: config.parameters[key].string_value for key in config.parameters}
    try:
        (image,) = config.input
        height, width, _ = image.dims
        return ModelCard(
            name=config.name,
            height=height,
            width=width,
            sha256=parameters["sha256"],
            mean=_triple(parameters["mean"]),
            std=_triple(parameters["std"]),
            license=parameters["license"],
            source=parameters["source"],
            source_sha256=parameters["source_sha256"],
            description=parameters["description"],
            dynamic_batch=config.HasField("dynamic_batching"),
            threads=int(parameters[_THREADS]) if _THREADS in parameters else None,
        )
    except KeyError as exc:
        raise CardError(f"{path} has no parameter {exc}: import the model again.") from exc
    except ValueError as exc:
        raise CardError(f"{path} does not follow the model contract: {exc}") from exc


def _digits(value: float) -> str:
    """As short as reads back to the same number."""
    return repr(value).removesuffix(".0")


def _triple(text: str) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in text.split())
    if not all(math.isfinite(value) for value in (red, green, blue)):
        raise ValueError("mean and std must be finite")
    return red, green, blue

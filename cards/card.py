"""The card of a matting model: what its `config.pbtxt` says, for every version that lies in its folder.

It says the model contract (IMAGE uint8 [batch, H, W, 3] sRGB in, ALPHA uint8 [batch, H, W] out), which all versions
share, and carries licence, source and hashes as `parameters` (cards/facts.py), where Triton shows them and
machine-learning engineers look. Its `version_policy` names the one version that is loaded where nobody says which, so a
new version is never served by chance. cards/render.py writes it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as pb

from cards.errors import CardError
from cards.facts import Facts, read_facts

CARD_FILE = "config.pbtxt"
CPU_CARD_FILE = "configs/cpu.pbtxt"
GPU_CARD_FILE = "configs/gpu.pbtxt"
WEIGHTS_FILE = "1/model.onnx"
"""The first version's; see `weights_file`."""

_VERSION = re.compile(r"[1-9][0-9]{0,8}")

# Triton's word for ONNX Runtime's threads within one operator.
THREADS = "intra_op_thread_count"


def weights_file(version: int) -> str:
    """Where the weights of a version lie in its model's folder."""
    return f"{version}/model.onnx"


@dataclass(frozen=True)
class ModelCard:
    """What is known of one model.

    `height`, `width`: pixels of the model's view, the same for all `versions`. `threads`: of the CPU, on ONNX Runtime
    alone, 0 for one a core; None leaves the runtime to the machine. `default`: the version that is served where nobody
    says which.
    """

    name: str
    height: int
    width: int
    versions: Mapping[int, Facts]
    threads: int | None = None
    default: int = 1

    @property
    def dynamic_batch(self) -> bool:
        """Whether every version takes any number of pictures at once."""
        return all(facts.dynamic_batch for facts in self.versions.values())


def read_config(folder: Path, file: str = CARD_FILE) -> pb.ModelConfig:
    """Read the `config.pbtxt` of the model in `folder`, of whatever kind, or another card of it.

    Raises:
        CardError: it is missing, or is not protobuf text.
    """
    path = folder / file
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), pb.ModelConfig())
    except FileNotFoundError as exc:
        raise CardError(f"{path} is missing: this is no model of the repository.") from exc
    except (text_format.ParseError, UnicodeDecodeError) as exc:
        raise CardError(f"{path} is not a Triton model configuration: {exc}") from exc


def parameters_of(config: pb.ModelConfig) -> dict[str, str]:
    """The facts that Triton has no field for, by their keys."""
    return {key: config.parameters[key].string_value for key in config.parameters}


def default_version(folder: Path) -> int:
    """The version of the model in `folder`, of whatever kind, that Triton serves where nobody says which.

    Raises:
        CardError: see `read_config`.
    """
    return policy_version(read_config(folder), folder)


def policy_version(config: pb.ModelConfig, folder: Path) -> int:
    """The first version that the policy of `config` names; without one, the newest in `folder`, as Triton has it."""
    specific = config.version_policy.specific.versions
    return int(specific[0]) if specific else max(version_folders(folder), default=1)


def version_folders(folder: Path) -> dict[int, Path]:
    """The folders of the versions of the model in `folder`, by their numbers."""
    found = folder.iterdir() if folder.is_dir() else ()
    return {int(path.name): path for path in found if _VERSION.fullmatch(path.name) and path.is_dir()}


def read_card(folder: Path) -> ModelCard:
    """Read the card of the model in `folder` back from its `config.pbtxt`.

    Raises:
        CardError: the file is missing, is not protobuf text, or lacks a part of the contract.
    """
    config, path = read_config(folder), folder / CARD_FILE
    parameters = parameters_of(config)
    try:
        (image,) = config.input
        height, width, _ = image.dims
        return ModelCard(
            name=config.name,
            height=height,
            width=width,
            versions=read_facts(parameters),
            threads=int(parameters[THREADS]) if THREADS in parameters else None,
            default=policy_version(config, folder),
        )
    except KeyError as exc:
        raise CardError(f"{path} has no parameter {exc}: import the model again.") from exc
    except ValueError as exc:
        raise CardError(f"{path} does not follow the model contract: {exc}") from exc

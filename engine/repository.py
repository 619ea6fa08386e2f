"""What of a model repository can be served here, and why the rest cannot."""

from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig, ModelInstanceGroup

from cards.card import CARD_FILE, parameters_of, policy_version
from cards.weights import lacking_weights
from engine.models.extras import how_to_install


@dataclass(frozen=True)
class Served:
    """`models`: names to load. `refused`, `warnings`, `optional`: sentences for the log.

    `optional` are the models that nobody asked for: their weights were not pulled, or their packages not installed.
    """

    models: tuple[str, ...]
    refused: tuple[str, ...]
    warnings: tuple[str, ...]
    optional: tuple[str, ...] = ()


def survey(repository: Path, extras: frozenset[str] = frozenset(), flavour: str = "cpu") -> Served:
    """Read each model's configuration as Triton would with `--model-config-name=FLAVOUR`.

    `extras`: what Triton's environment has beside its own lock. `flavour`: cpu or gpu.
    """
    models, refused, warnings, optional = [], [], [], []
    for folder in sorted(path for path in repository.iterdir() if path.is_dir() and not path.name.startswith(".")):
        card = next(
            (path for path in (folder / "configs" / f"{flavour}.pbtxt", folder / CARD_FILE) if path.exists()), None
        )
        if card is None:
            refused.append(f"{folder.name}: no config.pbtxt")
            continue
        try:
            config = text_format.Parse(card.read_text(), ModelConfig())
        except text_format.ParseError as error:
            refused.append(f"{folder.name}: {card} cannot be read: {error}")
            continue
        if fault := _fault(folder, config, flavour):
            refused.append(f"{folder.name}: {fault}")
            continue
        if lacking := _lacking(folder, config, extras):
            optional.append(f"{folder.name}: {lacking}")
            continue
        models.append(folder.name)
        if config.backend == "onnxruntime" and not config.instance_group:
            warnings.append(
                f"{folder.name}: no instance_group, so Triton makes two, slower here; add configs/cpu.pbtxt"
            )
    return Served(tuple(models), tuple(refused), tuple(warnings), tuple(optional))


def _fault(folder: Path, config: ModelConfig, flavour: str) -> str | None:
    if flavour == "cpu" and any(group.kind == ModelInstanceGroup.KIND_GPU for group in config.instance_group):
        return "its instance_group asks for KIND_GPU; add configs/cpu.pbtxt for this machine"
    weights = config.default_model_filename or "model.onnx"
    if config.backend != "onnxruntime":
        return None
    version = policy_version(config, folder)
    if not (folder / str(version) / weights).is_file():
        return f"no {version}/{weights}: pull or import it first (clearcanvas models)"
    return None


def _lacking(folder: Path, config: ModelConfig, extras: frozenset[str]) -> str | None:
    parameters = parameters_of(config)
    if config.backend == "python" and (lacking := lacking_weights(folder, parameters.get("weights", ""))):
        return lacking
    environment = parameters.get("environment", "")
    if environment and environment not in extras:
        return f"its packages are not in Triton's environment: {how_to_install(environment)}"
    return None

"""Writing the card of a matting model: `config.pbtxt` for every machine, `configs/` for one without a GPU and for one
with it.

Triton picks one of the latter with `--model-config-name`; an `instance_group` in the first would bind it to one kind of
machine.
"""

from dataclasses import replace
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as pb

from cards.card import CARD_FILE, CPU_CARD_FILE, GPU_CARD_FILE, THREADS, ModelCard, read_card
from cards.errors import CardError

# Enough for a GPU to be busy with 1024² pictures, and 8 × 4 MiB of input and output stays small.
_MAX_BATCH = 8

# A request alone waits so long for others: little beside the ten milliseconds of a network at 1024² on a GPU.
_QUEUE_DELAY_US = 2_000

# Compiled networks are kept where every container may write; a volume there keeps them over its restart.
_TENSORRT = {
    "precision_mode": "FP16",
    "max_workspace_size_bytes": str(4 << 30),
    "trt_engine_cache_enable": "1",
    "trt_engine_cache_path": "/tmp/clearcanvas-tensorrt",  # noqa: S108
}

_HEADER = """\
# Written by `clearcanvas models import`, not by hand.
# sha256 is that of 1/model.onnx, source_sha256 that of the file it was made from; of version 2, sha256@2.
"""


def portable_config(card: ModelCard) -> pb.ModelConfig:
    """The card for any machine: Triton itself chooses the device and the number of instances."""
    config = pb.ModelConfig(
        name=card.name,
        backend="onnxruntime",
        max_batch_size=_MAX_BATCH if card.dynamic_batch else 1,
        input=[pb.ModelInput(name="IMAGE", data_type=pb.TYPE_UINT8, dims=[card.height, card.width, 3])],
        output=[pb.ModelOutput(name="ALPHA", data_type=pb.TYPE_UINT8, dims=[card.height, card.width])],
    )
    config.version_policy.specific.versions.append(card.default)
    if card.threads is not None:
        config.parameters[THREADS].string_value = str(card.threads)
    for version, facts in card.versions.items():
        for key, text in facts.parameters(version).items():
            config.parameters[key].string_value = text
    if card.dynamic_batch:
        config.dynamic_batching.SetInParent()
    return config


def cpu_config(card: ModelCard) -> pb.ModelConfig:
    """The card for a CPU: one picture at a time in one instance that has all cores, as batches and instances only tie.

    The accelerators are in order of preference: OpenVINO in bf16 where the CPU has it, MNN elsewhere, where it is the
    faster one. A network with its own number of threads is left to ONNX Runtime: where one took 2 ms, OpenVINO gained
    nothing, and there are operators that only ONNX Runtime has. The output DEVICE says which one runs; Triton's C++
    backend has no such output, so only this card does.
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


def gpu_config(card: ModelCard) -> pb.ModelConfig:
    """The card for a GPU, served by Triton's C++ backend: batches, two instances, computed in fp16 by TensorRT.

    TensorRT compiles a network for its GPU once for each range of batches; the warm-up asks for the smallest and the
    largest, so that this happens while the version is loaded and not while somebody waits. A network with its own
    number of CPU threads, which takes a millisecond anyhow, is not worth compiling: it runs as it is, on CUDA. KIND_GPU
    is never served by a CPU: without a GPU the version does not load.
    """
    config = portable_config(card)
    # One copies its pictures while the other computes.
    config.instance_group.add(count=2, kind=pb.ModelInstanceGroup.KIND_GPU)
    accelerators = config.optimization.execution_accelerators.gpu_execution_accelerator
    if not card.threads:
        accelerators.add(name="tensorrt", parameters=_TENSORRT)
    else:
        accelerators.add(name="cuda", parameters={"use_ep_level_unified_stream": "1"})
    if card.dynamic_batch:
        config.dynamic_batching.preferred_batch_size.extend([_MAX_BATCH // 2, _MAX_BATCH])
        config.dynamic_batching.max_queue_delay_microseconds = _QUEUE_DELAY_US
    for batch in sorted({1, config.max_batch_size}):
        warmup = config.model_warmup.add(name=f"batch of {batch}", batch_size=batch)
        image = warmup.inputs["IMAGE"]
        image.data_type, image.zero_data = pb.TYPE_UINT8, True
        image.dims.extend([card.height, card.width, 3])
    return config


def render_card(card: ModelCard) -> dict[str, str]:
    """The text of the files of `card`, by their paths in the model's folder; the same card gives the same text."""
    configs = {CARD_FILE: portable_config(card), CPU_CARD_FILE: cpu_config(card), GPU_CARD_FILE: gpu_config(card)}
    return {file: _HEADER + text_format.MessageToString(config, as_utf8=True) for file, config in configs.items()}


def write_card(card: ModelCard, folder: Path) -> None:
    """Write the files of `card` under `folder`, which is the model's own."""
    for file, text in render_card(card).items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def write_quality(folder: Path, version: int, text: str) -> None:
    """Write down what was measured of a version of the matting model in `folder`, in words.

    An import of the same weights keeps it.

    Raises:
        CardError: there is no card, it is none of a matting model, or it knows no such version.
    """
    card = read_card(folder)
    if version not in card.versions:
        raise CardError(f"{folder / CARD_FILE} tells of no version {version}.")
    facts = replace(card.versions[version], quality=text)
    write_card(replace(card, versions={**card.versions, version: facts}), folder)

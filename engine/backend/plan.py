"""What a model's Triton configuration asks of the backend, parsed and checked. Pure: no Triton, no runtime.

The words are Triton's own, as the C++ ONNX Runtime backend reads them, so that one folder is served by both.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

DEVICE = "DEVICE"
"""Output that names what really runs, such as b"cpu/openvino/f32". Triton 2.51 has no response parameters."""

_PRECISIONS = {"bf16": "bf16", "f32": "f32", "fp32": "f32"}
_WORDS = {"openvino": {"precision", "num_of_threads", "num_streams"}, "mnn": {"num_of_threads"}}
# What /proc/cpuinfo calls bf16 arithmetic on x86 and on ARM.
_BF16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


class PlanError(ValueError):
    """The configuration asks for something that this backend does not do."""


@dataclass(frozen=True)
class Accelerator:
    """One `cpu_execution_accelerator`: `name` openvino or mnn. `threads`, `streams`: None leaves the choice to us."""

    name: str
    precision: str = "f32"
    threads: int | None = None
    streams: int | None = None


@dataclass(frozen=True)
class Tensor:
    """A named input or output; `dims` without the batch dimension where the model has one, -1 for any size."""

    name: str
    dims: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """Everything that the backend takes from `model_config`.

    `accelerators` are in order of preference; none means ONNX Runtime.
    `max_batch_size` 0 means that the model has no batch dimension, as in Triton. `intra_threads`, `inter_threads`:
    None means the runtime's default.
    """

    model_file: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[str, ...]
    reports_device: bool
    max_batch_size: int
    instances: int
    accelerators: tuple[Accelerator, ...]
    intra_threads: int | None
    inter_threads: int | None


def parse(config: Mapping[str, Any]) -> Plan:
    """Read `model_config`, the dictionary that Triton gives a Python backend.

    Raises:
        PlanError: An accelerator, a parameter or a value that this backend would otherwise have to ignore.
    """
    if any(group.get("kind") == "KIND_GPU" for group in config.get("instance_group") or []):
        message = "KIND_GPU asks for a GPU, and this backend computes on the CPU: take NVIDIA's container for it"
        raise PlanError(message)
    outputs = tuple(output["name"] for output in config["output"])
    parameters = {key: value["string_value"] for key, value in (config.get("parameters") or {}).items()}
    return Plan(
        model_file=config.get("default_model_filename") or "model.onnx",
        inputs=tuple(Tensor(item["name"], tuple(int(dim) for dim in item["dims"])) for item in config["input"]),
        outputs=tuple(name for name in outputs if name != DEVICE),
        reports_device=DEVICE in outputs,
        max_batch_size=int(config["max_batch_size"]),
        instances=sum(int(group.get("count") or 1) for group in config.get("instance_group") or [{}]),
        accelerators=_accelerators(config),
        intra_threads=_count(parameters, "intra_op_thread_count"),
        inter_threads=_count(parameters, "inter_op_thread_count"),
    )


def choose(plan: Plan, *, bf16: bool) -> Accelerator | None:
    """The first accelerator whose precision the CPU has; where it has none of them, the last one, in f32.

    So `[openvino bf16]` runs in f32 on a CPU without bf16, and `[openvino bf16, mnn]` runs on MNN there.
    """
    for accelerator in plan.accelerators:
        if bf16 or accelerator.precision == "f32":
            return accelerator
    return replace(plan.accelerators[-1], precision="f32") if plan.accelerators else None


def has_bf16(cpuinfo: str) -> bool:
    """Whether the CPU that /proc/cpuinfo describes has bf16 arithmetic."""
    lines = (line.partition(":") for line in cpuinfo.splitlines())
    return any(_BF16_FLAGS & set(value.split()) for key, _, value in lines if key.strip() in {"flags", "Features"})


def _accelerators(config: Mapping[str, Any]) -> tuple[Accelerator, ...]:
    wanted = (config.get("optimization") or {}).get("execution_accelerators") or {}
    return tuple(_accelerator(item) for item in wanted.get("cpu_execution_accelerator") or [])


def _accelerator(item: Mapping[str, Any]) -> Accelerator:
    name, parameters = item["name"], item.get("parameters") or {}
    if name not in _WORDS:
        message = f"cpu_execution_accelerator {name!r} is not one of {sorted(_WORDS)}"
        raise PlanError(message)
    if unknown := set(parameters) - _WORDS[name]:
        message = f"{name} parameters {sorted(unknown)} are not known; known are {sorted(_WORDS[name])}"
        raise PlanError(message)
    precision = parameters.get("precision", "f32").lower()
    if precision not in _PRECISIONS:
        message = f"{name} precision {precision!r} is not one of {sorted(_PRECISIONS)}"
        raise PlanError(message)
    return Accelerator(
        name, _PRECISIONS[precision], _count(parameters, "num_of_threads"), _count(parameters, "num_streams")
    )


def _count(parameters: Mapping[str, str], name: str) -> int | None:
    """A count of at least 1; 0 and absence mean the default, as in the C++ backend."""
    text = parameters.get(name, "0")
    if not text.isdecimal():
        message = f"{name} is {text!r}, not a number"
        raise PlanError(message)
    return int(text) or None


def shape_of(dims: tuple[int, ...], max_batch_size: int) -> list[int | tuple[int, int]]:
    """The shape to compile an input for: Triton's dims behind a batch of 1, of 1…max, or none (0)."""
    if max_batch_size == 0:
        return list(dims)
    return [1 if max_batch_size == 1 else (1, max_batch_size), *dims]


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def check_numpy(version: str) -> None:
    """Refuse numpy 2: this Triton's stub then reads one repeated value, returns nothing, and reports success.

    Raises:
        PlanError: numpy is 2 or newer.
    """
    if int(version.partition(".")[0]) >= 2:
        message = (
            f"numpy {version} in Triton's environment makes results silently wrong; run `python -m engine install`"
        )
        raise PlanError(message)

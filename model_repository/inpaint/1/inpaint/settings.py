"""The parameters of `config.pbtxt`, read and checked. Pure: no Triton, no diffusers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DTYPES = ("auto", "fp16", "bf16", "fp32")
# What is on the card for people, or for the server alone.
_FOR_OTHERS = {"description", "license", "source", "method", "environment"}
_OURS = {
    "weights", "pipeline", "dtype", "scheduler", "scheduler_options", "call", "default_steps", "max_side", "multiple",
    "max_waiting", "stall_s",
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """See `config.pbtxt`. `scheduler` "" leaves the weights' own; `call` are arguments of the pipeline's call."""

    pipeline: str
    weights: str
    dtype: str
    scheduler: str
    scheduler_options: Mapping[str, Any]
    call: Mapping[str, Any]
    default_steps: int
    max_side: int
    multiple: int
    max_waiting: int
    stall_s: int


def read_settings(model_config: Mapping[str, Any]) -> Settings:
    """Read `model_config`, the dictionary that Triton gives a Python model.

    Raises:
        ValueError: A parameter is missing, is not known, or cannot be.
    """
    parameters = {key: value["string_value"] for key, value in model_config["parameters"].items()}
    if unknown := parameters.keys() - _OURS - _FOR_OTHERS:
        message = f"config.pbtxt has parameters that nothing reads: {sorted(unknown)}"
        raise ValueError(message)
    if missing := _OURS - parameters.keys():
        message = f"config.pbtxt lacks the parameters {sorted(missing)}"
        raise ValueError(message)
    if parameters["dtype"] not in DTYPES:
        message = f"dtype {parameters['dtype']!r} is not one of {DTYPES}"
        raise ValueError(message)
    return Settings(
        pipeline=parameters["pipeline"],
        weights=parameters["weights"],
        dtype=parameters["dtype"],
        scheduler=parameters["scheduler"],
        scheduler_options=_arguments(parameters, "scheduler_options"),
        call=_arguments(parameters, "call"),
        default_steps=_count(parameters, "default_steps"),
        max_side=_count(parameters, "max_side"),
        multiple=_count(parameters, "multiple"),
        max_waiting=_count(parameters, "max_waiting"),
        stall_s=_count(parameters, "stall_s"),
    )


def _arguments(parameters: Mapping[str, str], name: str) -> dict[str, Any]:
    try:
        value = json.loads(parameters[name])
    except json.JSONDecodeError as error:
        message = f"{name} is not JSON: {error}"
        raise ValueError(message) from error
    if not isinstance(value, dict):
        message = f"{name} is not a JSON object"
        raise ValueError(message)
    return value


def _count(parameters: Mapping[str, str], name: str) -> int:
    text = parameters[name]
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        message = f"{name} is {text!r}, and must be a number from 1"
        raise ValueError(message)
    return int(text)

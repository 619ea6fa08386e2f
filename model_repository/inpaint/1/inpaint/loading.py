"""From a folder of weights to a pipeline that can paint."""

import os
from pathlib import Path
from typing import Any

from inpaint.settings import Settings

# Said before diffusers is imported: everything comes from the folder, and nobody hears of it. Threads that wait sleep:
# spinning, two of them took ten times as long as one on a machine with other work.
os.environ.update(
    {
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "DIFFUSERS_VERBOSITY": "error",
        "TRANSFORMERS_VERBOSITY": "error",
        "OMP_WAIT_POLICY": "PASSIVE",
    }
)

import diffusers
import torch
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

_ALLOWED = {".safetensors", ".json", ".txt", ".model"}
_DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}


def load(folder: Path, settings: Settings, device: str) -> Any:  # noqa: ANN401 - of a class named in the settings
    """The pipeline in `folder`, on `device`: `cpu`, or `cuda:N`.

    Raises:
        FileNotFoundError: There are no weights.
        ValueError: There is something else than safetensors and their configuration, or the settings name what
            diffusers does not have.
    """
    check_files(folder)
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    kind = _class(settings.pipeline, diffusers.DiffusionPipeline)
    halves = any(folder.glob("**/*.fp16.safetensors"))
    pipeline = kind.from_pretrained(
        folder,
        dtype=_DTYPES[dtype_of(settings, device)],
        variant="fp16" if halves else None,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
    )
    if settings.scheduler:
        scheduler = _class(settings.scheduler, diffusers.SchedulerMixin)
        pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config, **settings.scheduler_options)
    # SDXL's invisible watermark needs a package of its own, and alters what the caller gets.
    if hasattr(pipeline, "watermark"):
        pipeline.watermark = None
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def dtype_of(settings: Settings, device: str) -> str:
    """`fp16`, `bf16` or `fp32`: what is computed in."""
    if settings.dtype != "auto":
        return settings.dtype
    return "fp32" if device == "cpu" else "fp16"


def check_files(folder: Path) -> None:
    """Refuse a folder that is no pipeline, or that holds what could be run: a pickle is a program.

    Raises:
        FileNotFoundError: There are no weights.
        ValueError: There is another kind of file.
    """
    if not (folder / "model_index.json").is_file():
        message = f"{folder} has no model_index.json: pull the weights first (clearcanvas models pull)"
        raise FileNotFoundError(message)
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or (path.is_file() and path.suffix not in _ALLOWED):
            message = f"{path} may not be there: weights are safetensors"
            raise ValueError(message)


def _class(name: str, parent: type) -> Any:  # noqa: ANN401 - a class of diffusers
    found = getattr(diffusers, name, None)
    if not (isinstance(found, type) and issubclass(found, parent)):
        message = f"diffusers {diffusers.__version__} has no {parent.__name__} named {name!r}"
        raise ValueError(message)
    return found

"""Triton's Python-based backend named `onnxruntime`: serves ONNX models where the C++ one is not installed.

Triton imports this file from `<backend directory>/onnxruntime/model.py` inside its stub process; the rest of the
package lies beside it as `engine/backend/`.
"""

import ctypes
import json
import os
import select
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from engine.backend import batching
from engine.backend.plan import DEVICE, Plan, check_numpy, parse
from engine.backend.runtimes import Runtime, load

check_numpy(np.__version__)

CACHE_VARIABLE = "CLEARCANVAS_ENGINE_CACHE"


class TritonPythonModel:
    """One instance of one model."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model; whatever is raised here becomes Triton's reason for not serving it."""
        _die_with_triton()
        self._plan: Plan = parse(json.loads(args["model_config"]))
        model = Path(pb_utils.get_model_dir()) / self._plan.model_file
        self._runtime: Runtime = load(model, self._plan, Path(os.environ[CACHE_VARIABLE]))
        # Reading and compiling leave as much freed memory behind as the model takes.
        ctypes.CDLL(None).malloc_trim(0)
        self._say(args["model_instance_name"])

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answer the requests of one execution, in their order. A wrong shape fails its own request alone."""
        answers: list[Any] = [None] * len(requests)
        feeds, waiting = [], []
        for index, request in enumerate(requests):
            arrays = {
                tensor.name: pb_utils.get_input_tensor_by_name(request, tensor.name).as_numpy()
                for tensor in self._plan.inputs
            }
            if request.is_cancelled():
                answers[index] = _failure("the caller is gone", pb_utils.TritonError.CANCELLED)
            elif fault := batching.shape_fault(arrays, self._plan):
                answers[index] = _failure(fault, pb_utils.TritonError.INVALID_ARG)
            elif set(request.requested_output_names()) == {DEVICE}:
                # How the supervisor asks whether the stub lives: through the queue, without an inference.
                answers[index] = self._answer({}, arrays)
            else:
                feeds.append(arrays)
                waiting.append(index)
        for members in batching.batches_of(feeds, self._plan):
            chosen = [feeds[member] for member in members]
            outputs = self._runtime.infer(batching.join(chosen, self._plan))
            parts = batching.split(outputs, [self._rows(arrays) or 0 for arrays in chosen])
            for member, arrays, part in zip(members, chosen, parts, strict=True):
                answers[waiting[member]] = self._answer(part, arrays)
        return answers

    def _answer(self, outputs: batching.Feeds, feeds: batching.Feeds) -> Any:  # noqa: ANN401 - Triton's own type.
        if self._plan.reports_device:
            outputs = {**outputs, **batching.device_row(self._runtime.device, self._rows(feeds))}
        return pb_utils.InferenceResponse([pb_utils.Tensor(name, array) for name, array in outputs.items()])

    def _rows(self, feeds: batching.Feeds) -> int | None:
        return batching.rows_of(feeds, self._plan) if self._plan.max_batch_size else None

    def _say(self, instance: str) -> None:
        pb_utils.Logger.log_info(f"{instance} runs on {self._runtime.device}")
        first = self._plan.accelerators[0] if self._plan.accelerators else None
        if first and self._runtime.device != f"cpu/{first.name}/{first.precision}":
            pb_utils.Logger.log_warn(f"{instance} prefers {first.name} {first.precision}, which this CPU does not have")


def _failure(message: str, code: int) -> Any:  # noqa: ANN401 - Triton's own type.
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))


def _die_with_triton() -> None:
    """A stub whose tritonserver was killed lives on for seconds, with the model in memory: end it at once."""
    parent = os.getppid()
    triton = os.pidfd_open(parent)
    if Path(f"/proc/{parent}/comm").read_text() != "tritonserver\n":
        os._exit(1)  # Already an orphan.

    def watch() -> None:
        select.select([triton], [], [])
        os._exit(1)

    threading.Thread(target=watch, name="die-with-triton", daemon=True).start()

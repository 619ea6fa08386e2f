"""ONNX Runtime on the CPU: what a model gets that asks for no accelerator."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime as ort
from numpy.typing import NDArray

from engine.backend.plan import Plan, cores


class OnnxRuntime:
    """Runs the graph in the precision that it is written in."""

    device = "cpu/onnxruntime/f32"

    def __init__(self, model: Path, plan: Plan) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = plan.intra_threads or cores()
        options.inter_op_num_threads = plan.inter_threads or 1
        self._session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._outputs = list(plan.outputs)

    def infer(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run once; the arrays returned are the caller's own."""
        return dict(zip(self._outputs, self._session.run(self._outputs, dict(feeds)), strict=True))

"""OpenVINO on the CPU: bf16 where it is asked for and the CPU has it, f32 else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openvino as ov
from numpy.typing import NDArray

from engine.backend.plan import OpenVino, Plan, cores, shape_of


class OpenVinoRuntime:
    """One infer request of one compiled model."""

    def __init__(self, model: Path, plan: Plan, wanted: OpenVino, cache: Path | None) -> None:
        core = ov.Core()
        precision = wanted.precision
        if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            precision = "f32"
        self.device = f"cpu/openvino/{precision}"
        properties: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",
            # OpenVINO would leave out hyperthreads, which is what the cores of most rented machines are.
            "INFERENCE_NUM_THREADS": wanted.threads or plan.intra_threads or cores(),
            # Two processes that pin themselves choose the same cores and halve.
            "ENABLE_CPU_PINNING": plan.instances == 1,
        }
        if wanted.streams is not None:
            properties["NUM_STREAMS"] = wanted.streams
        if cache is not None:
            properties["CACHE_DIR"] = str(cache)
        graph = core.read_model(model)
        graph.reshape({tensor.name: shape_of(tensor.dims, plan.max_batch_size) for tensor in plan.inputs})
        self._outputs = plan.outputs
        self._request = core.compile_model(graph, "CPU", properties).create_infer_request()

    def infer(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run once; the arrays returned are the caller's own."""
        self._request.infer(dict(feeds), share_inputs=True)
        # The request's own tensors are overwritten by the next run.
        return {name: self._request.get_tensor(name).data.copy() for name in self._outputs}

"""OpenVINO as a runtime: the fastest on CPUs with bf16 arithmetic."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openvino as ov
from numpy.typing import NDArray

from engine.backend.plan import Accelerator, Plan, shape_of


class OpenVinoRuntime:
    """One infer request of one compiled model. `device` says what OpenVINO itself says that it runs."""

    def __init__(self, model: Path, plan: Plan, wanted: Accelerator, threads: int, cache: Path) -> None:
        core = ov.Core()
        properties: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": wanted.precision,
            "PERFORMANCE_HINT": "LATENCY",
            # Left to itself OpenVINO takes one thread of each physical core; rented cores are mostly hyperthreads.
            "INFERENCE_NUM_THREADS": threads,
            # Two processes that pin themselves choose the same cores and halve.
            "ENABLE_CPU_PINNING": plan.instances == 1,
            "CACHE_DIR": str(cache),
        }
        if wanted.streams is not None:
            properties["NUM_STREAMS"] = wanted.streams
        graph = core.read_model(model)
        graph.reshape({tensor.name: shape_of(tensor.dims, plan.max_batch_size) for tensor in plan.inputs})
        compiled = core.compile_model(graph, "CPU", properties)
        self.device = f"cpu/openvino/{compiled.get_property('INFERENCE_PRECISION_HINT').get_type_name()}"
        self._outputs = plan.outputs
        self._request = compiled.create_infer_request()

    def infer(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run once; the arrays returned are the caller's own."""
        self._request.infer(dict(feeds), share_inputs=True)
        # The request's own tensors are overwritten by the next run.
        return {name: self._request.get_tensor(name).data.copy() for name in self._outputs}

"""The choice among the runtimes behind the backend, one a file; nothing falls back to another unseen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from engine.backend.plan import Accelerator, Plan, choose, cores, has_bf16

CPUINFO = Path("/proc/cpuinfo")


class Runtime(Protocol):
    """A loaded model. `device` says what really runs: device/runtime/precision."""

    device: str

    def infer(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run once; the arrays returned are the caller's own."""


def load(model: Path, plan: Plan, cache: Path) -> Runtime:
    """Load `model` with the runtime that the plan prefers on this CPU. `cache`: folder for compiled models.

    Raises:
        FileNotFoundError: The weights are not there.
        RuntimeError: The runtime cannot run them.
    """
    if not model.is_file():
        message = f"{model} is missing: pull or import the model first (clearcanvas models)"
        raise FileNotFoundError(message)
    chosen = choose(plan, bf16=has_bf16(CPUINFO.read_text()))
    # Each runtime costs tens of megabytes: only the one in use is imported.
    if chosen is None:
        from engine.backend.onnxruntime import OnnxRuntime  # noqa: PLC0415

        return OnnxRuntime(model, plan)
    try:
        return _accelerated(model, plan, chosen, cache)
    except RuntimeError as error:
        message = f"{chosen.name} cannot run it; imported with --threads 0, ONNX Runtime would try: {error}"
        raise RuntimeError(message) from error


def _accelerated(model: Path, plan: Plan, chosen: Accelerator, cache: Path) -> Runtime:
    threads = chosen.threads or plan.intra_threads or cores()
    if chosen.name == "mnn":
        from engine.backend.mnn import MnnRuntime  # noqa: PLC0415

        return MnnRuntime(model, tuple(tensor.name for tensor in plan.inputs), plan.outputs, threads, cache)
    from engine.backend.openvino import OpenVinoRuntime  # noqa: PLC0415

    return OpenVinoRuntime(model, plan, chosen, threads, cache)

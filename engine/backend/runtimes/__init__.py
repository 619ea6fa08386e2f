"""The runtimes behind the backend, one a file. The plan names one; nothing falls back to another unseen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from engine.backend.plan import Plan


class Runtime(Protocol):
    """A loaded model. `device` says what really runs: device/runtime/precision."""

    device: str

    def infer(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run once; the arrays returned are the caller's own."""


def load(model: Path, plan: Plan, cache: Path | None) -> Runtime:
    """Load `model` with the runtime that the plan names. `cache`: folder for compiled models, None for none.

    Raises:
        FileNotFoundError: The weights are not there.
    """
    if not model.is_file():
        message = f"{model} is missing: pull or import the model first (clearcanvas models)"
        raise FileNotFoundError(message)
    # Each runtime costs tens of megabytes: only the one in use is imported.
    if plan.openvino is None:
        from engine.backend.runtimes.onnx import OnnxRuntime  # noqa: PLC0415

        return OnnxRuntime(model, plan)
    from engine.backend.runtimes.openvino import OpenVinoRuntime  # noqa: PLC0415

    return OpenVinoRuntime(model, plan, plan.openvino, cache)

"""MNN as a runtime: fp32 with Winograd convolutions, for CPUs without bf16 arithmetic.

On AVX2 it halves the time of a matting net built of 3×3 convolutions (ISNet at 1024²: 1.0 s where OpenVINO's f32
takes 1.8 s on two cores) at the same mask: Winograd's F(n, 3) needs about a quarter of the multiplications
(Lavin, Gray 2015) and costs 3e-4 of alpha at most.

Only the wheel's two compiled modules are used. Its Python command line tools are not: they report usage to the
vendor and install packages at run time.
"""

import fcntl
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MODEL = "model.mnn"


class MnnError(RuntimeError):
    """MNN could not convert or run the model."""


class MnnRuntime:
    """A model in MNN. `device` says what runs."""

    device = "cpu/mnn/f32"

    def __init__(
        self, model: Path, inputs: tuple[str, ...], outputs: tuple[str, ...], threads: int, cache: Path
    ) -> None:
        """Convert `model` (ONNX) once into `cache`, and load it.

        Raises:
            MnnError: The model cannot be converted or loaded.
        """
        from MNN import expr, nn  # noqa: PLC0415 - compiled modules without types; imported where they are used.

        self._expr = expr
        self._inputs, self._outputs = inputs, outputs
        config = {"backend": "CPU", "precision": "high", "numThread": threads}
        self._runtime = nn.create_runtime_manager((config,))
        path = str(_converted(model, cache))
        try:
            self._net = nn.load_module_from_file(path, list(inputs), list(outputs), runtime_manager=self._runtime)
        except SystemError as error:  # It names no reason; a missing operator is the one that was seen.
            message = f"MNN lacks an operator of {model}"
            raise MnnError(message) from error

    def infer(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run once; the arrays returned are the caller's own.

        Raises:
            MnnError: MNN refused the inputs.
        """
        results = self._net.forward([self._variable(feeds[name]) for name in self._inputs])
        if len(results) != len(self._outputs):
            message = "MNN did not run: " + ", ".join(f"{name} {array.shape}" for name, array in feeds.items())
            raise MnnError(message)
        # `read` gives a view of MNN's own buffer, which the next run overwrites.
        return {name: np.array(result.read()) for name, result in zip(self._outputs, results, strict=True)}

    def _variable(self, array: NDArray[Any]) -> Any:  # noqa: ANN401 - MNN is not typed.
        kinds = {np.dtype(np.uint8): self._expr.uint8, np.dtype(np.float32): self._expr.float}
        # MNN calls every ONNX tensor's layout NCHW, whatever its axes mean; any other word would transpose it.
        return self._expr.const(np.ascontiguousarray(array), list(array.shape), self._expr.NCHW, kinds[array.dtype])


def _converted(model: Path, cache: Path) -> Path:
    """The MNN file made from this very ONNX file: made once, kept in `cache` under the file's hash."""
    with model.open("rb") as file:
        folder = cache / f"mnn-{hashlib.file_digest(file, 'sha256').hexdigest()[:32]}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "mnn.lock").open("w") as lock:
        # A model's instances are loaded at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=cache) as work:
                made = Path(work) / "made"
                made.mkdir()
                _convert(model, made / _MODEL)
                os.replace(made, folder)
    return folder / _MODEL


def _convert(model: Path, target: Path) -> None:
    """Write `target`, and its weights beside it, in a process of its own: the converter holds the model twice."""
    program = "import sys, _tools; sys.exit(not _tools.mnnconvert(sys.argv))"
    # With the weights in a file of their own MNN transforms them one by one and does not keep them twice.
    words = ["-f", "ONNX", "--modelFile", str(model), "--MNNModel", str(target), "--saveExternalData"]
    command = ["python3", "-c", program, *words, "--bizCode", "clearcanvas"]  # The stub's PATH begins with our Python.
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        message = f"MNN cannot convert {model}: {done.stdout[-2000:]}"
        raise MnnError(message)

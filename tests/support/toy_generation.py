"""Generation models that are small enough to serve anywhere, and whose answer can be worked out by hand."""

from pathlib import Path

from cards.seal import seal

_CARD = """\
name: "{name}"
backend: "python"
input {{ name: "PROMPT" data_type: TYPE_STRING dims: 1 }}
input {{ name: "NEGATIVE_PROMPT" data_type: TYPE_STRING dims: 1 }}
input {{ name: "IMAGE" data_type: TYPE_UINT8 dims: [ -1, -1, 3 ] }}
input {{ name: "MASK" data_type: TYPE_UINT8 dims: [ -1, -1 ] }}
input {{ name: "SEED" data_type: TYPE_UINT64 dims: 1 }}
input {{ name: "STEPS" data_type: TYPE_INT32 dims: 1 }}
output {{ name: "IMAGE" data_type: TYPE_UINT8 dims: [ -1, -1, 3 ] }}
output {{ name: "DEVICE" data_type: TYPE_STRING dims: 1 }}
{decoupled}
parameters {{ key: "description" value {{ string_value: "The mask in the seed's grey." }} }}
parameters {{ key: "license" value {{ string_value: "Apache-2.0" }} }}
parameters {{ key: "source" value {{ string_value: "tests/support/toy_generation.py" }} }}
parameters {{ key: "method" value {{ string_value: "procedural" }} }}
parameters {{ key: "max_side" value {{ string_value: "512" }} }}
parameters {{ key: "multiple" value {{ string_value: "8" }} }}
parameters {{ key: "default_steps" value {{ string_value: "4" }} }}
"""
_DECOUPLED = """\
output { name: "PROGRESS" data_type: TYPE_FP32 dims: 1 }
model_transaction_policy { decoupled: true }
"""

_PYTHON = '''\
"""Paints the mask in the grey (seed mod 256); the prompt "wait N" takes N seconds, "crash" ends the process."""

import os
import time

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        self.decoupled = "PROGRESS" in args["model_config"]

    def execute(self, requests):
        answers = [self.answer(request) for request in requests]
        return None if self.decoupled else answers

    def answer(self, request):
        if set(request.requested_output_names()) == {"DEVICE"}:
            return self.end(request, [device()])
        prompt, image, mask, seed, steps = (
            pb_utils.get_input_tensor_by_name(request, name).as_numpy()
            for name in ("PROMPT", "IMAGE", "MASK", "SEED", "STEPS")
        )
        words = prompt[0].decode().split()
        if words[:1] == ["crash"]:
            os._exit(1)
        pb_utils.Logger.log_warn("toy painting begun")
        count, pause = int(steps[0]) or 4, float(words[1]) if words[:1] == ["wait"] else 0
        for step in range(count):
            for _ in range(20):
                time.sleep(pause / count / 20)
                if request.is_cancelled():
                    error = pb_utils.TritonError("the caller is gone", pb_utils.TritonError.CANCELLED)
                    pb_utils.Logger.log_warn("toy painting cancelled")
                    return self.end(request, error=error)
            if self.decoupled:
                nothing = pb_utils.Tensor("IMAGE", np.zeros((0, 0, 3), np.uint8))
                progress = pb_utils.Tensor("PROGRESS", np.array([(step + 1) / count], np.float32))
                request.get_response_sender().send(pb_utils.InferenceResponse([nothing, progress, device()]))
        painted = np.where(mask[..., None] == 255, np.uint8(seed[0] % 256), image)
        return self.end(request, [pb_utils.Tensor("IMAGE", painted), device()])

    def end(self, request, tensors=(), error=None):
        response = pb_utils.InferenceResponse(list(tensors), error)
        if not self.decoupled:
            return response
        request.get_response_sender().send(response, flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)


def device():
    return pb_utils.Tensor("DEVICE", np.array([b"cpu/toy/uint8"], np.object_))
'''


def write_toy_generation(repository: Path, name: str = "toy_painter", *, decoupled: bool = False) -> Path:
    """Write the model `name` into `repository`, sealed, and return its folder."""
    folder = repository / name
    (folder / "1").mkdir(parents=True)
    (folder / "config.pbtxt").write_text(_CARD.format(name=name, decoupled=_DECOUPLED if decoupled else ""))
    (folder / "1" / "model.py").write_text(_PYTHON)
    seal(folder)
    return folder

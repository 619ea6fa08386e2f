"""Triton's side of `inpaint`: the generation contract, decoupled."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import triton_python_backend_utils as pb_utils
from inpaint.loading import dtype_of, load
from inpaint.painting import CancelledError, Order, check, paint
from inpaint.queue import Painter
from inpaint.settings import Settings, read_settings

_NOTHING = np.zeros((0, 0, 3), np.uint8)


class TritonPythonModel:
    """One instance of the model."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the pipeline; whatever is raised here becomes Triton's reason for not serving it."""
        settings = read_settings(json.loads(args["model_config"]))
        torch.set_num_threads(len(os.sched_getaffinity(0)))
        device = _device(args)
        pipeline = load(Path(pb_utils.get_model_dir()).parent / settings.weights, settings, device)
        where = f"{'cpu' if device == 'cpu' else 'gpu'}/diffusers/{dtype_of(settings, device)}"
        self._studio = Studio(pipeline, settings, where)
        self._painter = Painter(settings.max_waiting, settings.stall_s)
        pb_utils.Logger.log_info(f"{args['model_instance_name']} paints on {where} by {settings.pipeline}")

    def execute(self, requests: Sequence[Any]) -> None:
        """Answer the supervisor at once, and hand what is to be painted over."""
        for request in requests:
            sender = request.get_response_sender()
            if set(request.requested_output_names()) == {"DEVICE"}:
                error = "no step has ended for too long" if self._painter.stalled() else None
                _send(sender, [self._studio.tag()], error=error, final=True)
                continue
            try:
                order = _read(request)
                check(order, self._studio.settings)
            except ValueError as fault:
                _send(sender, error=str(fault), code=pb_utils.TritonError.INVALID_ARG, final=True)
                continue
            if not self._painter.submit(Sitting(self._studio, order, sender)):
                _send(sender, error="too many pictures wait", code=pb_utils.TritonError.UNAVAILABLE, final=True)

    def finalize(self) -> None:
        """Triton waits for every answer before it unloads the model; none is left."""
        self._painter.close()


@dataclass(frozen=True)
class Studio:
    """What every picture is painted with. `where`: device/runtime/precision."""

    pipeline: Any
    settings: Settings
    where: str

    def tag(self) -> Any:  # noqa: ANN401 - Triton's own type
        """The output DEVICE."""
        return pb_utils.Tensor("DEVICE", np.array([self.where.encode()], np.object_))


@dataclass(frozen=True)
class Sitting:
    """One request that waits, or is being painted."""

    studio: Studio
    order: Order
    sender: Any

    def run(self, on_step: Callable[[], None]) -> None:
        """Paint it and answer; what can go wrong with one picture is this request's error alone."""

        def tell(done: float) -> None:
            on_step()
            _send(self.sender, [_image(_NOTHING), _progress(done), self.studio.tag()])

        try:
            if self.sender.is_cancelled():
                raise CancelledError
            picture = paint(self.studio.pipeline, self.studio.settings, self.order, tell, self.sender.is_cancelled)
        except CancelledError:
            pb_utils.Logger.log_info("the caller is gone; the picture is given up")
            _send(self.sender, error="the caller is gone", code=pb_utils.TritonError.CANCELLED, final=True)
        except (RuntimeError, ValueError, TypeError) as error:
            pb_utils.Logger.log_error(f"a picture could not be painted: {error!r}")
            _send(self.sender, error=f"the picture could not be painted: {type(error).__name__}", final=True)
        else:
            _send(self.sender, [_image(picture), _progress(1.0), self.studio.tag()], final=True)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _device(args: dict[str, str]) -> str:
    on_gpu = args["model_instance_kind"] == "GPU"
    if not torch.cuda.is_available():
        if on_gpu:
            message = "the card asks for a GPU, and this environment's torch has none: it would paint on the CPU unseen"
            raise RuntimeError(message)
        return "cpu"
    return f"cuda:{args['model_instance_device_id']}" if on_gpu else "cuda:0"


def _read(request: Any) -> Order:  # noqa: ANN401 - Triton's own type
    """The order, with arrays of its own: Triton takes the request's memory back.

    Raises:
        ValueError: a prompt is not UTF-8.
    """
    values = {
        name: pb_utils.get_input_tensor_by_name(request, name).as_numpy()
        for name in ("PROMPT", "NEGATIVE_PROMPT", "IMAGE", "MASK", "SEED", "STEPS")
    }
    return Order(
        prompt=bytes(values["PROMPT"].flat[0]).decode(),
        negative_prompt=bytes(values["NEGATIVE_PROMPT"].flat[0]).decode(),
        image=values["IMAGE"].copy(),
        mask=values["MASK"].copy(),
        seed=int(values["SEED"].flat[0]),
        steps=int(values["STEPS"].flat[0]),
    )


def _image(pixels: Any) -> Any:  # noqa: ANN401 - Triton's own type
    return pb_utils.Tensor("IMAGE", pixels)


def _progress(done: float) -> Any:  # noqa: ANN401 - Triton's own type
    return pb_utils.Tensor("PROGRESS", np.array([done], np.float32))


def _send(
    sender: Any,  # noqa: ANN401 - Triton's own type
    outputs: Sequence[Any] = (),
    *,
    error: str | None = None,
    code: int | None = None,
    final: bool = False,
) -> None:
    # Triton adds its names to pb_utils only after this file was read.
    failure = pb_utils.TritonError(error, code or pb_utils.TritonError.INTERNAL) if error else None
    response = pb_utils.InferenceResponse(list(outputs) if failure is None else [], failure)
    sender.send(response, flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL if final else 0)

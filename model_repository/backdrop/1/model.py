"""Triton's side of `backdrop`: the generation contract, answered by painting."""

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from backdrop import render
from backdrop.hints import hints_of

DEVICE = "cpu/numpy/f32"
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_LIBC = ctypes.CDLL(None)
_WARM_SIDE = 64


class TritonPythonModel:
    """One instance of the model."""

    def initialize(self, _: dict[str, str]) -> None:
        """Have the C library keep what was freed, and paint a first picture, so that no caller waits for its tables.

        Triton is started so that every array is fetched anew from the system; that takes longer than computing it.
        """
        if hasattr(_LIBC, "mallopt"):
            _LIBC.mallopt(_M_ARENA_MAX, 1)  # Only the main arena is cut back by malloc_trim.
            _LIBC.mallopt(_M_TRIM_THRESHOLD, 256 << 20)
            _LIBC.mallopt(_M_MMAP_THRESHOLD, 32 << 20)
        render("", "", 0, width=_WARM_SIDE, height=_WARM_SIDE)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answer the requests one after another; what is wrong with one fails that one alone.

        What was freed goes back with the engine's next question, 2 s later at most: the next picture of many finds it.
        """
        if all(_asks_device(request) for request in requests) and hasattr(_LIBC, "malloc_trim"):
            _LIBC.malloc_trim(0)
        return [_answer(request) for request in requests]


def _asks_device(request: Any) -> bool:  # noqa: ANN401 - Triton's own types.
    return set(request.requested_output_names()) == {"DEVICE"}


def _answer(request: Any) -> Any:  # noqa: ANN401 - Triton's own types.
    if request.is_cancelled():
        return _failure("the caller is gone", pb_utils.TritonError.CANCELLED)
    device = pb_utils.Tensor("DEVICE", np.array([DEVICE.encode()], dtype=np.object_))
    if _asks_device(request):
        return pb_utils.InferenceResponse([device])
    try:
        prompt, negative = _text(request, "PROMPT"), _text(request, "NEGATIVE_PROMPT")
        image, mask = _array(request, "IMAGE"), _array(request, "MASK")
        seed = int(_array(request, "SEED").reshape(-1)[0])
        height, width = image.shape[:2]
        if mask.shape != (height, width):
            message = f"IMAGE is {list(image.shape)}, so MASK must be {[height, width]}, and is {list(mask.shape)}"
            raise ValueError(message)
        picture = render(prompt, negative, seed, width=width, height=height, hints=hints_of(image, mask))
    except ValueError as error:
        return _failure(str(error), pb_utils.TritonError.INVALID_ARG)
    return pb_utils.InferenceResponse([pb_utils.Tensor("IMAGE", picture), device])


def _array(request: Any, name: str) -> Any:  # noqa: ANN401
    return pb_utils.get_input_tensor_by_name(request, name).as_numpy()


def _text(request: Any, name: str) -> str:  # noqa: ANN401
    """The first string of an input.

    Raises:
        ValueError: It is not UTF-8.
    """
    try:
        return bytes(_array(request, name).reshape(-1)[0]).decode()
    except UnicodeDecodeError as error:
        message = f"{name} is not UTF-8"
        raise ValueError(message) from error


def _failure(reason: str, code: int) -> Any:  # noqa: ANN401
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(reason, code))

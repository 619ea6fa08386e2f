"""A small TensorFlow Lite file: one convolution as TensorFlow pads it, with weights in float16, and a sigmoid."""

from collections.abc import Callable, Sequence

import flatbuffers
import numpy as np
import tflite
from numpy.typing import NDArray

FLOAT, HALF = tflite.TensorType.FLOAT32, tflite.TensorType.FLOAT16
CONVOLUTION, WIDENING = tflite.BuiltinOperator.CONV_2D, tflite.BuiltinOperator.DEQUANTIZE
SIGMOID = tflite.BuiltinOperator.LOGISTIC


def convolution_file(
    kernel: NDArray[np.float16], bias: NDArray[np.float32], size: tuple[int, int], *, last: int = SIGMOID
) -> bytes:
    """`kernel`: (1, height, width, 3). `size`: (height, width) of the picture. `last`: the operator after it."""
    build = flatbuffers.Builder(4096)
    tensors = [
        ((1, *size, 3), FLOAT, b""),
        (kernel.shape, HALF, kernel.astype("<f2").tobytes()),
        (kernel.shape, FLOAT, b""),
        (bias.shape, FLOAT, bias.astype("<f4").tobytes()),
        ((1, *size, 1), FLOAT, b""),
        ((1, *size, 1), FLOAT, b""),
    ]
    steps = [(WIDENING, [1], [2], 0), (CONVOLUTION, [0, 2, 3], [4], _convolution_options(build)), (last, [4], [5], 0)]
    codes = [_table(build, "OperatorCode", DeprecatedBuiltinCode=code) for code, *_ in steps]
    operators = [_operator(build, index, *step[1:]) for index, step in enumerate(steps)]
    described = [
        _table(build, "Tensor", Shape=_vector(build, shape), Type=kind, Buffer=index)
        for index, (shape, kind, _) in enumerate(tensors)
    ]
    graph = _table(
        build,
        "SubGraph",
        Tensors=_offsets(build, described),
        Inputs=_vector(build, [0]),
        Outputs=_vector(build, [5]),
        Operators=_offsets(build, operators),
    )
    data = [build.CreateByteVector(content) for _, _, content in tensors]
    buffers = _offsets(build, [_table(build, "Buffer", Data=content) for content in data])
    vectors = {"OperatorCodes": _offsets(build, codes), "Subgraphs": _offsets(build, [graph]), "Buffers": buffers}
    build.Finish(_table(build, "Model", Version=3, **vectors), b"TFL3")
    return bytes(build.Output())


def _operator(build: flatbuffers.Builder, code: int, inputs: list[int], outputs: list[int], options: int) -> int:
    fields = {"OpcodeIndex": code, "Inputs": _vector(build, inputs), "Outputs": _vector(build, outputs)}
    if options:
        fields |= {"BuiltinOptionsType": tflite.BuiltinOptions.Conv2DOptions, "BuiltinOptions": options}
    return _table(build, "Operator", **fields)


def _convolution_options(build: flatbuffers.Builder) -> int:
    return _table(build, "Conv2DOptions", Padding=tflite.Padding.SAME, StrideW=1, StrideH=1)


def _table(build: flatbuffers.Builder, kind: str, **fields: int) -> int:
    _function(f"{kind}Start")(build)
    for name, value in fields.items():
        _function(f"{kind}Add{name}")(build, value)
    made: int = _function(f"{kind}End")(build)
    return made


def _function(name: str) -> Callable[..., int]:
    function: Callable[..., int] = getattr(tflite, name)
    return function


def _vector(build: flatbuffers.Builder, numbers: Sequence[int]) -> int:
    made: int = build.CreateNumpyVector(np.array(numbers, np.int32))
    return made


def _offsets(build: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    build.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        build.PrependUOffsetTRelative(offset)
    made: int = build.EndVector()
    return made

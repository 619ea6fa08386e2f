"""Turning a TensorFlow Lite network into ONNX: those operators that small segmentation networks are made of.

TensorFlow Lite keeps channels last; the ONNX graph keeps them first, as its operators want them. Weights in float16
become float32, which is exact.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from engine.models.errors import UnsupportedModelError
from engine.models.tflite_file import DAMAGE, Operator, TfliteGraph

# HardSwish came with opset 14; 17 and its format are what every runtime of today reads.
_OPSET, _IR_VERSION = 17, 8

_SAME = tflite.Padding.SAME


def load_tflite(path: Path) -> ModelProto:
    """Read the network at `path` as ONNX: float [1, 3, H, W] to float [1, C, H, W]. The same file gives the same bytes.

    Raises:
        UnsupportedModelError: no TensorFlow Lite file, damaged, or made of operators that are not known here.
    """
    try:
        return _Conversion(TfliteGraph(path)).model()
    except DAMAGE as exc:
        raise UnsupportedModelError(f"{path} is damaged: {exc!r}") from exc


class _Conversion:
    """One graph on its way. A tensor `t7` of the result is tensor 7 of the file."""

    def __init__(self, graph: TfliteGraph) -> None:
        self._graph = graph
        self._nodes: list[NodeProto] = []
        self._weights: list[TensorProto] = []
        self._widened: dict[int, NDArray[np.float32]] = {}
        self._known: dict[str, Callable[[Operator], None]] = {
            "ADD": lambda operator: self._arithmetic(operator, "Add", tflite.AddOptions),
            "CONV_2D": self._convolution,
            "Convolution2DTransposeBias": self._transposed_convolution,
            "DEPTHWISE_CONV_2D": self._depthwise_convolution,
            "DEQUANTIZE": self._widening,
            "HARD_SWISH": lambda operator: self._plain(operator, "HardSwish"),
            "LOGISTIC": lambda operator: self._plain(operator, "Sigmoid"),
            "MEAN": self._mean,
            "MUL": lambda operator: self._arithmetic(operator, "Mul", tflite.MulOptions),
            "RELU": lambda operator: self._plain(operator, "Relu"),
            "RESIZE_BILINEAR": self._resize,
        }

    def model(self) -> ModelProto:
        """The whole as ONNX."""
        for operator in self._graph.operators:
            if operator.name not in self._known:
                raise UnsupportedModelError(f"The operator {operator.name} of TensorFlow Lite is not known here.")
            self._known[operator.name](operator)
        ends = [
            helper.make_tensor_value_info(_name(end), TensorProto.FLOAT, _channels_first(self._shape(end)))
            for end in (self._graph.input, self._graph.output)
        ]
        graph = helper.make_graph(self._nodes, "network", ends[:1], ends[1:], self._weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)

    def _widening(self, operator: Operator) -> None:
        """Weights that the file holds as float16, and that the network reads through this operator."""
        values = self._graph.constant(operator.inputs[0])
        if values is None or values.dtype != np.float16:
            raise UnsupportedModelError("Quantised networks are not converted, only those with weights in float16.")
        self._widened[operator.outputs[0]] = values.astype(np.float32)

    def _convolution(self, operator: Operator) -> None:
        kernel = self._constant(operator.inputs[1]).transpose(0, 3, 1, 2)  # (out, height, width, in) in the file
        self._convolve(operator, kernel, tflite.Conv2DOptions, groups=1)

    def _depthwise_convolution(self, operator: Operator) -> None:
        kernel = self._constant(operator.inputs[1]).transpose(3, 0, 1, 2)  # (1, height, width, out)
        groups = self._shape(operator.inputs[0])[3]
        self._convolve(operator, kernel, tflite.DepthwiseConv2DOptions, groups=groups)

    def _convolve(self, operator: Operator, kernel: NDArray[np.float32], kind: type[Any], *, groups: int) -> None:
        options = operator.options(kind)
        strides = (options.StrideH(), options.StrideW())
        dilations = (options.DilationHFactor(), options.DilationWFactor())
        pads = (0, 0, 0, 0)
        if options.Padding() == _SAME:
            sides = zip(self._shape(operator.inputs[0])[1:3], kernel.shape[2:], strides, dilations, strict=True)
            (top, bottom), (left, right) = (_same_padding(*side) for side in sides)
            pads = (top, left, bottom, right)
        values = [_name(operator.inputs[0]), self._weight(kernel), self._weight(self._constant(operator.inputs[2]))]
        attributes = {"strides": strides, "dilations": dilations, "pads": pads, "group": groups}
        self._node("Conv", values, operator, options.FusedActivationFunction(), **attributes)

    def _transposed_convolution(self, operator: Operator) -> None:
        """MediaPipe's own operator, a transposed convolution with a bias; its options are padding and strides."""
        padding, *strides = np.frombuffer(operator.custom_options, "<i4").tolist()
        kernel = self._constant(operator.inputs[1]).transpose(3, 0, 1, 2)  # (out, height, width, in)
        before, after = (self._shape(tensor)[1:3] for tensor in (operator.inputs[0], operator.outputs[0]))
        if len(strides) != 2 or list(kernel.shape[2:]) != strides:
            raise UnsupportedModelError("A transposed convolution whose kernel is not as large as its stride.")
        if [size * stride for size, stride in zip(before, strides, strict=True)] != list(after):
            raise UnsupportedModelError(f"A transposed convolution with padding {padding}, which cuts its result.")
        values = [_name(operator.inputs[0]), self._weight(kernel), self._weight(self._constant(operator.inputs[2]))]
        self._node("ConvTranspose", values, operator, strides=strides)

    def _mean(self, operator: Operator) -> None:
        axes = self._graph.constant(operator.inputs[1])
        if axes is None or sorted(axes.tolist()) != [1, 2] or len(self._shape(operator.outputs[0])) != 4:
            raise UnsupportedModelError("A mean over other axes than height and width.")
        self._plain(operator, "GlobalAveragePool")

    def _resize(self, operator: Operator) -> None:
        options = operator.options(tflite.ResizeBilinearOptions)
        before, after = (self._shape(tensor)[1:3] for tensor in (operator.inputs[0], operator.outputs[0]))
        if options.AlignCorners() or any(new % old for new, old in zip(after, before, strict=True)):
            raise UnsupportedModelError("A resize other than to a multiple of the size.")
        # By factors, not sizes, which would hold the batch as well.
        factors = np.array([1, 1, *(new // old for new, old in zip(after, before, strict=True))], np.float32)
        mode = "half_pixel" if options.HalfPixelCenters() else "asymmetric"
        values = [_name(operator.inputs[0]), "", self._weight(factors)]
        self._node("Resize", values, operator, mode="linear", coordinate_transformation_mode=mode)

    def _arithmetic(self, operator: Operator, onnx: str, kind: type[Any]) -> None:
        if any(self._graph.constant(tensor) is not None for tensor in operator.inputs):
            raise UnsupportedModelError(f"{operator.name} with a constant.")
        values = [_name(tensor) for tensor in operator.inputs]
        self._node(onnx, values, operator, operator.options(kind).FusedActivationFunction())

    def _plain(self, operator: Operator, onnx: str) -> None:
        self._node(onnx, [_name(operator.inputs[0])], operator)

    def _node(self, onnx: str, inputs: list[str], operator: Operator, activation: int = 0, **attributes: Any) -> None:  # noqa: ANN401
        """Add a node, and what the file fuses into it."""
        output = _name(operator.outputs[0])
        match activation:
            case tflite.ActivationFunctionType.NONE:
                self._nodes.append(helper.make_node(onnx, inputs, [output], output, **attributes))
            case tflite.ActivationFunctionType.RELU:
                raw = f"{output}/raw"
                self._nodes.append(helper.make_node(onnx, inputs, [raw], raw, **attributes))
                self._nodes.append(helper.make_node("Relu", [raw], [output], output))
            case _:
                raise UnsupportedModelError(f"{operator.name} with activation {activation} is not known here.")

    def _constant(self, tensor: int) -> NDArray[np.float32]:
        values = self._widened.get(tensor)
        values = self._graph.constant(tensor) if values is None else values
        if values is None:
            raise UnsupportedModelError(f"Tensor {tensor} must be a constant.")
        return values.astype(np.float32)

    def _weight(self, values: NDArray[np.float32]) -> str:
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _shape(self, tensor: int) -> tuple[int, ...]:
        return self._graph.shape(tensor)


def _name(tensor: int) -> str:
    return f"t{tensor}"


def _channels_first(shape: tuple[int, ...]) -> list[int]:
    if len(shape) != 4:
        raise UnsupportedModelError(f"The network must be from a picture to a picture, but has the shape {shape}.")
    batch, height, width, channels = shape
    return [batch, channels, height, width]


def _same_padding(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """TensorFlow's "same": as many results as ⌈size / stride⌉; what cannot be halved goes to the end."""
    needed = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return needed // 2, needed - needed // 2

"""Small matting networks as ONNX, as people export them: every shape of the graph that an import must cope with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
WEIGHTS = np.array([1.5, -0.5, 0.75], np.float32).reshape(1, 3, 1, 1)
BIAS = np.array([0.125], np.float32)

Shape = Sequence[int | str]


def value(name: str, shape: Shape, kind: int = TensorProto.FLOAT) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def network(
    nodes: list[NodeProto],
    inputs: list[ValueInfoProto],
    outputs: list[ValueInfoProto],
    weights: dict[str, NDArray[Any]],
    opset: int = OPSET,
) -> ModelProto:
    """A model of the given parts. It is not checked: some tests want a faulty one."""
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "network", inputs, outputs, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=IR_VERSION)


def convolution(
    batch: int | str = "n", height: int | str = 8, width: int | str = 8, *, logits: bool = False
) -> ModelProto:
    """[batch, 3, H, W] → a 1 × 1 convolution → [batch, 1, H, W], through a sigmoid unless `logits`."""
    nodes = [helper.make_node("Conv", ["input", "w", "b"], ["logits"], "conv")]
    if not logits:
        nodes.append(helper.make_node("Sigmoid", ["logits"], ["matte"], "sigmoid"))
    output = value("logits" if logits else "matte", [batch, 1, height, width])
    return network(nodes, [value("input", [batch, 3, height, width])], [output], {"w": WEIGHTS, "b": BIAS})


def bright_is_subject(side: int) -> ModelProto:
    """A network that expects mean 128 and deviation 256, and finds what is brighter than a grey of 96."""
    nodes = [
        helper.make_node("Conv", ["input", "w", "b"], ["logits"], "conv"),
        helper.make_node("Sigmoid", ["logits"], ["matte"], "sigmoid"),
    ]
    weights = {"w": np.full((1, 3, 1, 1), 40 / 3, np.float32), "b": np.array([5], np.float32)}
    return network(nodes, [value("input", [1, 3, side, side])], [value("matte", [1, 1, side, side])], weights)


def half() -> ModelProto:
    """`convolution` in float16 with a float32 face, its nodes out of order as a well-known converter leaves them."""
    nodes = [
        helper.make_node("Sigmoid", ["logits"], ["half_matte"], "sigmoid"),
        helper.make_node("Cast", ["half_matte"], ["matte"], "back", to=TensorProto.FLOAT),
        helper.make_node("Conv", ["half", "w", "b"], ["logits"], "conv"),
        helper.make_node("Cast", ["input"], ["half"], "there", to=TensorProto.FLOAT16),
    ]
    weights = {"w": WEIGHTS.astype(np.float16), "b": BIAS.astype(np.float16)}
    return network(nodes, [value("input", [1, 3, 8, 8])], [value("matte", [1, 1, 8, 8])], weights)


def run(model: ModelProto | Path, feeds: dict[str, NDArray[Any]], output: str) -> NDArray[Any]:
    """What ONNX Runtime makes of it."""
    data = str(model) if isinstance(model, Path) else model.SerializeToString()
    (result,) = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"]).run([output], feeds)
    return np.asarray(result)


def save(model: ModelProto, path: Path) -> Path:
    onnx.save(model, path)
    return path

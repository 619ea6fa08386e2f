"""The toy model with work to do: a chain of convolutions whose result is dropped to nothing in the answer."""

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from cards.target import Target
from tests.support.toy_model import toy_onnx, write_graph

CHANNELS = 32


def write_slow_model(repository: Path, name: str = "slow", size: int = 512, layers: int = 16, version: int = 1) -> Path:
    """Write `name` into `repository`: the toy model's answers, each after `layers` × 18 kFLOP a pixel."""
    graph = _slow_onnx(size, layers)
    return write_graph(repository, Target(name, version), graph, size, "Bright is subject, after a while.")


def _slow_onnx(size: int, layers: int) -> onnx.ModelProto:
    model = toy_onnx(size)
    graph = model.graph
    nodes = [helper.make_node("Transpose", ["rgb"], ["step0"], perm=[0, 3, 1, 2])]
    for layer in range(layers):
        channels = 3 if layer == 0 else CHANNELS
        weights = np.full((CHANNELS, channels, 3, 3), 1e-3, np.float32)
        graph.initializer.append(numpy_helper.from_array(weights, f"weights{layer}"))
        nodes.append(
            helper.make_node("Conv", [f"step{layer}", f"weights{layer}"], [f"step{layer + 1}"], pads=[1, 1, 1, 1])
        )
    nodes.append(helper.make_node("ReduceMean", [f"step{layers}"], ["effort"], axes=[1], keepdims=0))
    nodes.append(helper.make_node("Min", ["effort", "zero"], ["nothing"]))  # All is positive: the answer is 0.
    nodes.append(helper.make_node("Add", ["grey", "nothing"], ["worked"]))
    middle = next(index for index, node in enumerate(graph.node) if node.op_type == "Sub")
    graph.node[middle].input[0] = "worked"
    everything = [*graph.node[:middle], *nodes, *graph.node[middle:]]
    del graph.node[:]
    graph.node.extend(everything)
    onnx.checker.check_model(model)
    return model

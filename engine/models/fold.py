"""Folding the model contract into an ONNX graph, so that no program carries per-model code.

A matting network takes normalised floats, mostly as [1, 3, H, W], and gives one channel of floats, often beside others
it was trained with. What Triton serves takes IMAGE uint8 [batch, H, W, 3] sRGB and gives ALPHA uint8 [batch, H, W]:

    IMAGE → Cast → Transpose → (x − mean) × 1/std → network → (Sigmoid) → Clip → × 255 → Round → Cast → Reshape → ALPHA
"""

import math
from typing import Any

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from engine.models.errors import UnsupportedModelError
from engine.models.graph import infer_shape, prune, rename, shape_of, widen
from engine.models.recipe import Recipe
from engine.models.signature import check_opset, image_input, matte_output, needs_sigmoid

# Initializers need not be inputs from this version of the format on.
_OLDEST_IR = 4

_SOURCE = "clearcanvas/normalised"
_MATTE = "clearcanvas/matte"


def fold(model: ModelProto, recipe: Recipe) -> bool:
    """Put `model` into the contract, in place; True if it takes any batch, False if only one picture at a time.

    float16 becomes float32; outputs, nodes and weights that ALPHA does not need go. The result depends on nothing but
    the arguments, so the same file gives the same bytes.

    Raises:
        UnsupportedModelError: the graph is not a network from one picture to one channel, or not as `recipe` says.
    """
    graph = model.graph
    check_opset(model)
    widen(model)
    source = image_input(graph, recipe)
    matte = matte_output(graph, recipe)
    sigmoid = needs_sigmoid(graph, matte.name, recipe.activation)
    channels_first = shape_of(source)[1] == 3
    open_batch = shape_of(source)[0] != 1

    rename(graph, source.name, _SOURCE)
    rename(graph, matte.name, _MATTE)
    for taken in ("IMAGE", "ALPHA"):
        rename(graph, taken, f"clearcanvas/original/{taken}")
    prune(graph, _MATTE)
    before = _before(graph, recipe, channels_first=channels_first)
    after = _after(graph, recipe, sigmoid=sigmoid)
    network = list(graph.node)
    del graph.node[:]
    graph.node.extend([*before, *network, *after])
    model.ir_version = max(model.ir_version, _OLDEST_IR)

    dynamic = open_batch or _carries_batch(model, recipe)
    _check_matte(model, recipe)
    _declare(graph, recipe, "batch" if dynamic else 1)
    return dynamic


def _before(graph: GraphProto, recipe: Recipe, *, channels_first: bool) -> list[NodeProto]:
    """IMAGE to what the network takes; its constants go into `graph`."""
    shape = (1, 3, 1, 1) if channels_first else (1, 1, 1, 3)
    mean = np.array(recipe.mean, np.float32).reshape(shape)
    scale = (1 / np.array(recipe.std, np.float64)).astype(np.float32).reshape(shape)
    _add_constants(graph, {"mean": mean, "scale": scale})
    nodes = [_node("Cast", ["IMAGE"], "float", to=TensorProto.FLOAT)]
    if channels_first:
        nodes.append(_node("Transpose", ["clearcanvas/float"], "planes", perm=[0, 3, 1, 2]))
    nodes.append(_node("Sub", [nodes[-1].output[0], "clearcanvas/mean"], "centred"))
    nodes.append(_node("Mul", ["clearcanvas/centred", "clearcanvas/scale"], "normalised"))
    return nodes


def _after(graph: GraphProto, recipe: Recipe, *, sigmoid: bool) -> list[NodeProto]:
    """What the network gives to ALPHA; its constants go into `graph`.

    Clip keeps a network that overshoots 0–1 from wrapping round in uint8. Reshape drops the channel wherever it stands.
    """
    shape = np.array([0, recipe.height, recipe.width], np.int64)
    limits = {"zero": np.float32(0), "one": np.float32(1), "full": np.float32(255)}
    _add_constants(graph, {**limits, "shape": shape})
    nodes = [_node("Sigmoid", [_MATTE], "sigmoid")] if sigmoid else []
    matte = "clearcanvas/sigmoid" if sigmoid else _MATTE
    nodes += [
        _node("Clip", [matte, "clearcanvas/zero", "clearcanvas/one"], "clipped"),
        _node("Mul", ["clearcanvas/clipped", "clearcanvas/full"], "scaled"),
        _node("Round", ["clearcanvas/scaled"], "rounded"),
        _node("Cast", ["clearcanvas/rounded"], "bytes", to=TensorProto.UINT8),
        helper.make_node("Reshape", ["clearcanvas/bytes", "clearcanvas/shape"], ["ALPHA"], "clearcanvas/alpha"),
    ]
    return nodes


def _node(operator: str, inputs: list[str], output: str, **attributes: Any) -> NodeProto:  # noqa: ANN401
    name = f"clearcanvas/{output}"
    return helper.make_node(operator, inputs, [name], name, **attributes)


def _add_constants(graph: GraphProto, values: dict[str, Any]) -> None:
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), f"clearcanvas/{name}") for name, value in values.items()
    )


def _declare(graph: GraphProto, recipe: Recipe, batch: int | str) -> None:
    """Declare the contract as the graph's input and output, and forget shapes that held for the old ones."""
    size = [batch, recipe.height, recipe.width]
    for field in (graph.input, graph.output, graph.value_info):
        del field[:]
    graph.input.append(helper.make_tensor_value_info("IMAGE", TensorProto.UINT8, [*size, 3]))
    graph.output.append(helper.make_tensor_value_info("ALPHA", TensorProto.UINT8, size))


def _carries_batch(model: ModelProto, recipe: Recipe) -> bool:
    """Whether a graph exported for one picture takes several: seven in must be proven to come out as seven."""
    probe = 7
    _declare(model.graph, recipe, probe)
    try:
        return infer_shape(model, _MATTE)[:1] == [probe]
    except onnx.shape_inference.InferenceError:
        return False


def _check_matte(model: ModelProto, recipe: Recipe) -> None:
    """Refuse a matte that is known not to be one channel of the picture's size."""
    _declare(model.graph, recipe, 1)
    try:
        shape = infer_shape(model, _MATTE)
    except onnx.shape_inference.InferenceError as exc:
        raise UnsupportedModelError(f"The graph does not fit a picture of that size: {exc}") from exc
    known = [dim for dim in shape if isinstance(dim, int)]
    if shape and len(known) == len(shape) and math.prod(known) != recipe.height * recipe.width:
        raise UnsupportedModelError(
            f"The matte must be one channel of {recipe.height}×{recipe.width}, but is {'×'.join(map(str, known))}."
        )

"""Finding the picture and the matte in a network's graph, and refusing, with the reason, what is no matting network."""

from onnx import GraphProto, ModelProto, TensorProto, ValueInfoProto

from engine.models.errors import UnsupportedModelError
from engine.models.graph import shape_of
from engine.models.recipe import Activation, Recipe

# Round came with opset 11, Clip with its limits as inputs too.
_OLDEST_OPSET = 11

# What may stand between the activation and the output without moving values out of 0–1.
_SHAPING = frozenset({"Cast", "Identity", "Reshape", "Resize", "Slice", "Squeeze", "Transpose", "Unsqueeze"})
_BOUNDED = frozenset({"HardSigmoid", "Sigmoid", "Softmax"})


def check_opset(model: ModelProto) -> None:
    """Refuse a graph older than the operators that the contract is folded with."""
    opset = next((entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"}), 0)
    if opset < _OLDEST_OPSET:
        raise UnsupportedModelError(
            f"The graph is of ONNX opset {opset}; {_OLDEST_OPSET} or newer is needed. "
            "Export it again, or raise it with onnx.version_converter."
        )


def image_input(graph: GraphProto, recipe: Recipe) -> ValueInfoProto:
    """The one picture input, float [batch, 3, H, W] or [batch, H, W, 3], of the size that `recipe` asks for."""
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1:
        listing = "; ".join(_describe(value) for value in inputs)
        raise UnsupportedModelError(f"The graph must take one picture, but has {len(inputs)} inputs: {listing}.")
    (source,) = inputs
    shape = shape_of(source)
    if source.type.tensor_type.elem_type != TensorProto.FLOAT or len(shape) != 4 or 3 not in (shape[1], shape[3]):
        raise UnsupportedModelError(
            f"The input must be float [batch, 3, H, W] or [batch, H, W, 3], but is {_describe(source)}."
        )
    if isinstance(shape[0], int) and shape[0] != 1:
        raise UnsupportedModelError(f"The input is fixed to {shape[0]} pictures: export the model with 1 or open.")
    size = shape[2:4] if shape[1] == 3 else shape[1:3]
    for fixed, asked in zip(size, (recipe.height, recipe.width), strict=True):
        if isinstance(fixed, int) and fixed != asked:
            raise UnsupportedModelError(
                f"The graph is made for {size[0]}×{size[1]} (height × width), not for {recipe.height}×{recipe.width}."
            )
    return source


def matte_output(graph: GraphProto, recipe: Recipe) -> ValueInfoProto:
    """The output that is the matte: the one named in `recipe`, or the only one."""
    outputs = {value.name: value for value in graph.output}
    listing = "; ".join(_describe(value) for value in graph.output)
    if recipe.output is None and len(outputs) != 1:
        raise UnsupportedModelError(f"The graph has {len(outputs)} outputs; say which is the matte: {listing}.")
    name = recipe.output or graph.output[0].name
    if name not in outputs:
        raise UnsupportedModelError(f"The graph has no output {name!r}; it has: {listing}.")
    matte = outputs[name]
    if matte.type.tensor_type.elem_type != TensorProto.FLOAT:
        raise UnsupportedModelError(f"The matte must be float, but is {_describe(matte)}.")
    return matte


def needs_sigmoid(graph: GraphProto, output: str, activation: Activation) -> bool:
    """Whether a sigmoid must follow `output`; `auto` decides only where the graph leaves no doubt."""
    producers = {name: node for node in graph.node for name in node.output}
    node = producers.get(output)
    while node is not None and node.op_type in _SHAPING:
        node = producers.get(node.input[0])
    bounded = node is not None and node.op_type in _BOUNDED
    if activation == "sigmoid" and bounded:
        raise UnsupportedModelError(f"Output {output!r} is already 0–1 by itself: use activation none.")
    if activation == "auto" and not bounded:
        raise UnsupportedModelError(
            f"The graph does not show whether output {output!r} is 0–1 or logits: use activation none or sigmoid."
        )
    return activation == "sigmoid"


def _describe(value: ValueInfoProto) -> str:
    kind = TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()
    shape = ", ".join(str(dim or "?") for dim in shape_of(value))
    return f"{value.name!r} {kind} [{shape}]"

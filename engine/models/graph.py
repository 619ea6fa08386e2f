"""Small operations on an ONNX graph that `fold` is made of. All change the graph in place.

Graphs may hold graphs (the branches of `If`, the body of `Loop`), whose nodes see the outer graph's values by name.
"""

import math
from collections.abc import Iterator
from copy import deepcopy
from graphlib import CycleError, TopologicalSorter

import numpy as np
from onnx import (
    AttributeProto,
    FunctionProto,
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
    shape_inference,
)

from engine.models.errors import UnsupportedModelError

# Attributes by which an operator names the type it makes: Cast's `to`, the random and EyeLike operators' `dtype`.
_TYPE_ATTRIBUTES = frozenset({"to", "dtype"})

# Tensors that say a shape, a set of axes or a scale have few values; weights have many.
_SHAPE_SIZED = 64


def nested_nodes(owner: GraphProto | FunctionProto) -> Iterator[NodeProto]:
    """Every node of `owner` and of the graphs inside its nodes."""
    for node in owner.node:
        yield node
        for graph in _subgraphs(node):
            yield from nested_nodes(graph)


def tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Every tensor stored in `model`: initializers and attributes, of all graphs and functions."""
    for graph in _graphs(model):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield sparse.values
            yield sparse.indices
    for owner in _owners(model):
        for node in nested_nodes(owner):
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t
                yield from attribute.tensors
                for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                    yield sparse.values
                    yield sparse.indices


def rename(graph: GraphProto, old: str, new: str) -> None:
    """Give the value `old` the name `new` wherever a node makes or takes it."""
    for node in nested_nodes(graph):
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name == old:
                    names[index] = new
    for tensor in graph.initializer:
        if tensor.name == old:
            tensor.name = new


def prune(graph: GraphProto, output: str) -> None:
    """Drop every node and initializer that `output` does not need, and put the nodes in topological order.

    ONNX demands that order; some converters break it, and only some runtimes put it right.

    Raises:
        UnsupportedModelError: nodes wait for each other in a circle.
    """
    nodes = list(graph.node)
    makers = {name: index for index, node in enumerate(nodes) for name in node.output if name}
    waits: dict[int, list[int]] = {}
    pending = [makers[output]] if output in makers else []
    while pending:
        index = pending.pop()
        if index not in waits:
            waits[index] = [makers[name] for name in _uses(nodes[index]) if name in makers]
            pending.extend(waits[index])
    try:
        order = list(TopologicalSorter(waits).static_order())
    except CycleError as exc:
        raise UnsupportedModelError("The graph runs in a circle.") from exc
    needed = {name for index in order for name in _uses(nodes[index])} | {output}
    # Deleting from a repeated field empties the messages taken from it before: nodes, which are small, are copied
    # first; weights, which are not, are deleted where they stand.
    kept = [deepcopy(nodes[index]) for index in order]
    del graph.node[:]
    graph.node.extend(kept)
    for index in reversed(range(len(graph.initializer))):
        if graph.initializer[index].name not in needed:
            del graph.initializer[index]


def widen(model: ModelProto) -> None:
    """Turn float16 into float32 throughout, exactly.

    A CPU computes float16 graphs slower than float32 ones, or not at all; a GPU narrows them again by itself.

    Raises:
        UnsupportedModelError: a tensor is damaged.
    """
    for tensor in tensors(model):
        if tensor.data_type == TensorProto.FLOAT16:
            tensor.CopyFrom(_wide(tensor))
    for owner in _owners(model):
        for node in nested_nodes(owner):
            for attribute in node.attribute:
                if attribute.name in _TYPE_ATTRIBUTES and attribute.i == TensorProto.FLOAT16:
                    attribute.i = TensorProto.FLOAT
    for graph in _graphs(model):
        for value in (*graph.input, *graph.output, *graph.value_info):
            if value.type.tensor_type.elem_type == TensorProto.FLOAT16:
                value.type.tensor_type.elem_type = TensorProto.FLOAT


def shape_of(value: ValueInfoProto) -> list[int | str]:
    """The declared shape: a number for each fixed dimension, a name or "" for each open one."""
    return [dim.dim_value if dim.HasField("dim_value") else dim.dim_param for dim in value.type.tensor_type.shape.dim]


def infer_shape(model: ModelProto, name: str) -> list[int | str]:
    """The shape of the value `name` as ONNX infers it from the graph's inputs; [] if it cannot.

    Raises:
        onnx.shape_inference.InferenceError: shapes contradict each other.
    """
    small = [tensor for tensor in model.graph.initializer if math.prod(tensor.dims) <= _SHAPE_SIZED]
    large = [tensor for tensor in model.graph.initializer if math.prod(tensor.dims) > _SHAPE_SIZED]
    # Only the shapes of large weights matter: as inputs they need not be copied, which takes three times their size.
    placeholders = [helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims) for tensor in large]
    inputs = [*model.graph.input, *placeholders]
    skeleton = helper.make_model(
        helper.make_graph(model.graph.node, "skeleton", inputs, model.graph.output, small),
        ir_version=model.ir_version,
        opset_imports=model.opset_import,
        functions=model.functions,
    )
    inferred = shape_inference.infer_shapes(skeleton, strict_mode=True, data_prop=True)
    return next((shape_of(value) for value in inferred.graph.value_info if value.name == name), [])


def _wide(tensor: TensorProto) -> TensorProto:
    try:
        return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name)
    except ValueError as exc:
        raise UnsupportedModelError(f"Tensor {tensor.name!r} is not as long as its shape says.") from exc


def _uses(node: NodeProto) -> Iterator[str]:
    """Names of the values that `node` takes, itself or in the graphs inside it."""
    yield from node.input
    for graph in _subgraphs(node):
        for inner in nested_nodes(graph):
            yield from inner.input
        yield from (value.name for value in graph.output)


def _owners(model: ModelProto) -> list[GraphProto | FunctionProto]:
    return [model.graph, *model.functions]


def _graphs(model: ModelProto) -> Iterator[GraphProto]:
    yield model.graph
    for owner in _owners(model):
        for node in nested_nodes(owner):
            yield from _subgraphs(node)


def _subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs

"""A model of the contract that is small enough to serve anywhere, and whose answer can be worked out by hand."""

from hashlib import sha256
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from cards.card import WEIGHTS_FILE, ModelCard, write_card

OPSET = 17
IR_VERSION = 8


def write_toy_model(repository: Path, name: str = "toy", size: int = 256) -> Path:
    """Write the model `name` into `repository` and return its folder.

    alpha = clip((mean(r, g, b) - 96) × 4, 0, 255) at size × size: what is bright is the subject. It has no weights.
    """
    folder = repository / name
    data = toy_onnx(size).SerializeToString(deterministic=True)
    weights = folder / WEIGHTS_FILE
    weights.parent.mkdir(parents=True, exist_ok=True)
    weights.write_bytes(data)
    card = ModelCard(
        name=name,
        height=size,
        width=size,
        sha256=sha256(data).hexdigest(),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        license="Apache-2.0",
        source="tests/support/toy_model.py",
        source_sha256=sha256(data).hexdigest(),
        description="Bright is subject.",
    )
    write_card(card, folder)
    return folder


def toy_onnx(size: int) -> onnx.ModelProto:
    """The graph: IMAGE uint8 [batch, size, size, 3] → ALPHA uint8 [batch, size, size]."""
    nodes = [
        helper.make_node("Cast", ["IMAGE"], ["rgb"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["rgb"], ["grey"], axes=[3], keepdims=0),
        helper.make_node("Sub", ["grey", "threshold"], ["above"]),
        helper.make_node("Mul", ["above", "gain"], ["scaled"]),
        helper.make_node("Clip", ["scaled", "zero", "full"], ["clipped"]),
        helper.make_node("Round", ["clipped"], ["rounded"]),
        helper.make_node("Cast", ["rounded"], ["ALPHA"], to=TensorProto.UINT8),
    ]
    constants = {"threshold": 96.0, "gain": 4.0, "zero": 0.0, "full": 255.0}
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("IMAGE", TensorProto.UINT8, ["batch", size, size, 3])],
        [helper.make_tensor_value_info("ALPHA", TensorProto.UINT8, ["batch", size, size])],
        [helper.make_tensor(key, TensorProto.FLOAT, [], [value]) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return model

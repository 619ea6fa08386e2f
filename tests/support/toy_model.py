"""A model of the contract that is small enough to serve anywhere, and whose answer can be worked out by hand."""

from hashlib import sha256
from pathlib import Path

import onnx
import tritonclient.grpc as triton
from onnx import TensorProto, helper

from cards.card import CARD_FILE, ModelCard, read_card, weights_file
from cards.facts import Facts
from cards.render import write_card
from cards.target import Target

OPSET = 17
IR_VERSION = 8


def write_toy_model(repository: Path, name: str = "toy", size: int = 256, version: int = 1, gain: float = 4.0) -> Path:
    """Write the model `name` into `repository` and return its folder; another version joins those that are there.

    alpha = clip((mean(r, g, b) - 96) × gain, 0, 255) at size × size: what is bright is the subject. It has no weights.
    """
    return write_graph(repository, Target(name, version), toy_onnx(size, gain), size, "Bright is subject.")


def write_graph(repository: Path, target: Target, graph: onnx.ModelProto, size: int, description: str) -> Path:
    """Write a graph of the contract into `repository` as a version of its model, and return the model's folder."""
    folder = repository / target.model
    data = graph.SerializeToString(deterministic=True)
    weights = folder / weights_file(target.version)
    weights.parent.mkdir(parents=True, exist_ok=True)
    weights.write_bytes(data)
    digest = sha256(data).hexdigest()
    facts = Facts(
        sha256=digest,
        size=len(data),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        license="Apache-2.0",
        source="tests/support",
        source_sha256=digest,
        description=description,
    )
    there = read_card(folder).versions if (folder / CARD_FILE).exists() else {}
    versions = dict(sorted({**there, target.version: facts}.items()))
    write_card(ModelCard(target.model, size, size, versions, default=min(versions)), folder)
    return folder


def toy_onnx(size: int, gain: float = 4.0) -> onnx.ModelProto:
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
    constants = {"threshold": 96.0, "gain": gain, "zero": 0.0, "full": 255.0}
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


def serves_toy(address: str) -> bool:
    """Whether a Triton is there, with its model."""
    with triton.InferenceServerClient(address) as client:
        try:
            return bool(client.is_model_ready("toy"))
        except triton.InferenceServerException:
            return False

"""A model `toy` with five versions, and a golden set of its own: what a promotion takes and what it refuses."""

from pathlib import Path

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from cards.target import Target
from tests.support.slow_model import write_slow_model
from tests.support.toy_model import toy_onnx, write_graph, write_toy_model

SIZE = 256
REACH = 30  # of the blur, in pixels
GOOD, BETTER, BLURRED, SLOW, BROKEN = (Target("toy", version) for version in range(1, 6))


def write_swapped_models(repository: Path) -> None:
    """Write all versions: what they find is the same, but for the blurred one; the broken one cannot be loaded."""
    write_toy_model(repository, size=SIZE)
    write_toy_model(repository, size=SIZE, version=BETTER.version, gain=4.5)
    write_graph(repository, BLURRED, _blurred(toy_onnx(SIZE)), SIZE, "Bright is subject, out of focus.")
    write_slow_model(repository, "toy", SIZE, layers=8, version=SLOW.version)
    write_graph(repository, BROKEN, _broken(toy_onnx(SIZE)), SIZE, "Not served by anything.")


def write_golden_set(folder: Path, pictures: int = 3) -> Path:
    """Write pictures of bright shapes on dark ground, with their true masks."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    for number in range(pictures):
        mask = _shape(number)
        picture = np.where(mask[..., None] > 127, (210, 220, 230), (60, 40, 20)).astype(np.uint8)
        cv2.imwrite(str(folder / "images" / f"{number}.png"), picture)
        cv2.imwrite(str(folder / "masks" / f"{number}.png"), mask)
    return folder


def _shape(number: int) -> NDArray[np.uint8]:
    mask = np.zeros((240, 320), np.uint8)
    cv2.ellipse(mask, (160, 120), (50 + 20 * number, 80), 20 * number, 0, 360, 255, -1)
    cv2.rectangle(mask, (150, 20), (170, 220), 255, -1)
    return mask


def _blurred(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with each grey value the mean of those around it, as of blurred weights."""
    graph = model.graph
    grey = next(index for index, node in enumerate(graph.node) if "grey" in node.output) + 1
    shape = helper.make_tensor("plane", TensorProto.INT64, [4], [-1, 1, SIZE, SIZE])
    back = helper.make_tensor("picture", TensorProto.INT64, [3], [-1, SIZE, SIZE])
    mean = np.full(2 * REACH + 1, 1 / (2 * REACH + 1), np.float32)
    across, down = mean.reshape(1, 1, 1, -1), mean.reshape(1, 1, -1, 1)
    graph.initializer.extend(
        [shape, back, numpy_helper.from_array(across, "across"), numpy_helper.from_array(down, "down")]
    )
    nodes = [
        helper.make_node("Reshape", ["grey", "plane"], ["sharp"]),
        helper.make_node("Conv", ["sharp", "across"], ["softer"], pads=[0, REACH, 0, REACH]),
        helper.make_node("Conv", ["softer", "down"], ["soft"], pads=[REACH, 0, REACH, 0]),
        helper.make_node("Reshape", ["soft", "picture"], ["blurred"]),
    ]
    following = list(graph.node[grey:])
    following[0].input[0] = "blurred"
    kept = [*graph.node[:grey], *nodes, *following]
    del graph.node[:]
    graph.node.extend(kept)
    onnx.checker.check_model(model)
    return model


def _broken(model: onnx.ModelProto) -> onnx.ModelProto:
    """An operator that nothing implements in the place of the last one."""
    model.graph.node[-1].op_type = "Telepathy"
    return model

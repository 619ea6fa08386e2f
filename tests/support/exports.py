"""One small matting network as people export it: the shapes of ONNX that an import must cope with, and what they give.

All are `networks.convolution` inside: a 1 × 1 convolution of the normalised picture, and a sigmoid.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper

from tests.support.networks import BIAS, WEIGHTS, convolution, network, value

SIDE = 32
IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


@dataclass(frozen=True)
class Export:
    """One network. `mean`, `std`: how it wants its picture, `options`: what else its import must be told."""

    build: Callable[[], ModelProto]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    options: tuple[str, ...] = ()
    weights_beside: bool = False

    def save(self, path: Path) -> Path:
        """Write it as people do, and return `path`."""
        location = f"{path.stem}.data" if self.weights_beside else None
        onnx.save(self.build(), path, save_as_external_data=self.weights_beside, location=location, size_threshold=0)
        return path

    def arguments(self) -> list[str]:
        """The words of `clearcanvas models import` for it."""
        mean, std = (",".join(map(str, values)) for values in (self.mean, self.std))
        return ["--size", str(SIDE), "--mean", mean, "--std", std, *self.options]

    def expected(self, picture: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The alpha of `picture`, (H, W, 3) uint8 sRGB, on the 0–255 scale."""
        normalised = (picture - np.array(self.mean)) / np.array(self.std)
        logits = normalised @ WEIGHTS.reshape(3) + BIAS[0]
        return np.asarray(255 / (1 + np.exp(-logits)), np.float64)


def several() -> ModelProto:
    """Networks that were trained with helpers give their mattes too: the first output is not the one."""
    model = convolution(1, SIDE, SIDE)
    model.graph.node.append(helper.make_node("ReduceMean", ["logits"], ["deep"], "deep"))
    model.graph.output.insert(0, value("logits", [1, 1, SIDE, SIDE]))
    model.graph.output.append(value("deep", [1, 1, 1, 1]))
    return model


def half_throughout() -> ModelProto:
    """float16 from its input to its output, as GPU exports are."""
    nodes = [
        helper.make_node("Conv", ["input", "w", "b"], ["logits"], "conv"),
        helper.make_node("Sigmoid", ["logits"], ["matte"], "sigmoid"),
    ]
    weights = {"w": WEIGHTS.astype(np.float16), "b": BIAS.astype(np.float16)}
    kind = TensorProto.FLOAT16
    picture, matte = value("input", [1, 3, SIDE, SIDE], kind), value("matte", [1, 1, SIDE, SIDE], kind)
    return network(nodes, [picture], [matte], weights)


def channels_last() -> ModelProto:
    """[1, H, W, 3] → [1, H, W, 1], as TensorFlow has it."""
    nodes = [
        helper.make_node("Transpose", ["picture"], ["input"], "there", perm=[0, 3, 1, 2]),
        *convolution().graph.node,
        helper.make_node("Transpose", ["matte"], ["alpha"], "back", perm=[0, 2, 3, 1]),
    ]
    inputs, outputs = [value("picture", [1, SIDE, SIDE, 3])], [value("alpha", [1, SIDE, SIDE, 1])]
    return network(nodes, inputs, outputs, {"w": WEIGHTS, "b": BIAS})


def deformable() -> ModelProto:
    """With an operator that not every runtime has, as BiRefNet's; its offsets are 0, which makes it a convolution."""
    nodes = [
        helper.make_node("Conv", ["input", "none"], ["offsets"], "offsets"),
        helper.make_node("DeformConv", ["input", "w", "offsets", "b"], ["logits"], "deform", kernel_shape=[1, 1]),
        helper.make_node("Sigmoid", ["logits"], ["matte"], "sigmoid"),
    ]
    weights = {"w": WEIGHTS, "b": BIAS, "none": np.zeros((2, 3, 1, 1), np.float32)}
    picture, matte = value("input", [1, 3, SIDE, SIDE]), value("matte", [1, 1, SIDE, SIDE])
    model = network(nodes, [picture], [matte], weights, opset=19)
    model.ir_version = 9
    return model


ONE_THREAD = ("--threads", "1")  # Without an accelerator: compiling for each would take the test's time.

EXPORTS = {
    "nchw-float": Export(partial(convolution, 1, SIDE, SIDE), (128.0,) * 3, (256.0,) * 3),
    "dynamic-size": Export(partial(convolution, "n", "h", "w"), (127.5,) * 3, (255.0,) * 3, ONE_THREAD),
    "logits": Export(
        partial(convolution, 1, SIDE, SIDE, logits=True),
        IMAGENET_MEAN,
        IMAGENET_STD,
        ("--activation", "sigmoid"),
    ),
    "several-outputs": Export(several, (0.0,) * 3, (255.0,) * 3, ("--output-name", "matte", *ONE_THREAD)),
    "fp16": Export(half_throughout, IMAGENET_MEAN, IMAGENET_STD),
    "channels-last": Export(channels_last, (0.0,) * 3, (255.0,) * 3, ONE_THREAD),
    "rare-operator": Export(deformable, IMAGENET_MEAN, IMAGENET_STD, ("--threads", "0")),
    "weights-beside": Export(
        partial(convolution, 1, SIDE, SIDE), (128.0,) * 3, (256.0,) * 3, ONE_THREAD, weights_beside=True
    ),
}

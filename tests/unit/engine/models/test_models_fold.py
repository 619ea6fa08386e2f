"""Folding: whatever the network looks like, uint8 in and uint8 out give what the network itself gives."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper

from engine.models.errors import UnsupportedModelError
from engine.models.fold import fold
from engine.models.recipe import Activation, Recipe
from tests.support.networks import BIAS, WEIGHTS, convolution, half, network, run, value

MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)
RECIPE = Recipe(8, 8, MEAN, STD)


def pictures(count: int, height: int = 8, width: int = 8) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (count, height, width, 3), np.uint8)


def expected(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The 1 × 1 convolution and the contract worked out in numpy, in float64."""
    normalised = (image.astype(np.float64) - MEAN) / STD
    logits = normalised @ WEIGHTS.reshape(3).astype(np.float64) + BIAS
    return np.rint(255 / (1 + np.exp(-logits))).astype(np.uint8)


def channels_last() -> ModelProto:
    nodes = [
        helper.make_node("MatMul", ["input", "w"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["matte"]),
    ]
    weights = {"w": WEIGHTS.reshape(3, 1), "b": BIAS}
    return network(nodes, [value("input", ["n", 8, 8, 3])], [value("matte", ["n", 8, 8, 1])], weights)


def without_channel() -> ModelProto:
    model = convolution()
    model.graph.node.append(helper.make_node("Squeeze", ["matte", "axes"], ["flat"]))
    model.graph.initializer.append(helper.make_tensor("axes", TensorProto.INT64, [1], [1]))
    model.graph.output[0].CopyFrom(value("flat", ["n", 8, 8]))
    return model


def named_like_the_contract() -> ModelProto:
    nodes = [
        helper.make_node("Conv", ["IMAGE", "w", "b"], ["ALPHA"]),
        helper.make_node("Sigmoid", ["ALPHA"], ["matte"]),
    ]
    return network(nodes, [value("IMAGE", ["n", 3, 8, 8])], [value("matte", ["n", 1, 8, 8])], {"w": WEIGHTS, "b": BIAS})


def with_branches() -> ModelProto:
    """Both branches of an If use a value of the outer graph that nothing else uses."""
    branches: dict[str, Any] = {}
    for name in ("then_branch", "else_branch"):
        node = helper.make_node("Identity", ["logits"], [name])
        branches[name] = helper.make_graph([node], name, [], [value(name, ["n", 1, 8, 8])])
    nodes = [
        helper.make_node("Conv", ["input", "w", "b"], ["logits"]),
        helper.make_node("If", ["yes"], ["chosen"], **branches),
        helper.make_node("Sigmoid", ["chosen"], ["matte"]),
    ]
    weights = {"w": WEIGHTS, "b": BIAS, "yes": np.ones((), np.bool_)}
    return network(nodes, [value("input", ["n", 3, 8, 8])], [value("matte", ["n", 1, 8, 8])], weights)


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(convolution, id="open batch"),
        pytest.param(lambda: convolution(batch=1), id="batch fixed to 1"),
        pytest.param(lambda: convolution("n", "h", "w"), id="open size"),
        pytest.param(channels_last, id="channels last"),
        pytest.param(without_channel, id="matte without channel"),
        pytest.param(named_like_the_contract, id="values named IMAGE and ALPHA"),
        pytest.param(with_branches, id="subgraphs"),
    ],
)
def test_any_layout_gives_the_same_alpha_for_any_batch(build: Callable[[], ModelProto]) -> None:
    model = build()
    assert fold(model, RECIPE)
    onnx.checker.check_model(model, full_check=True)
    for count in (1, 3):
        image = pictures(count)
        alpha = run(model, {"IMAGE": image}, "ALPHA")
        assert alpha.dtype == np.uint8
        assert alpha.shape == (count, 8, 8)
        np.testing.assert_array_equal(alpha, expected(image))


def test_the_size_is_height_by_width() -> None:
    model = convolution("n", "h", "w")
    fold(model, Recipe(4, 6, MEAN, STD))
    image = pictures(2, 4, 6)
    np.testing.assert_array_equal(run(model, {"IMAGE": image}, "ALPHA"), expected(image))


def test_float16_becomes_float32_and_stays_right() -> None:
    model = half()
    assert fold(model, RECIPE)
    onnx.checker.check_model(model, full_check=True)
    assert TensorProto.FLOAT16 not in {tensor.data_type for tensor in model.graph.initializer}
    image = pictures(2)
    # The weights were chosen to be exact in float16.
    np.testing.assert_array_equal(run(model, {"IMAGE": image}, "ALPHA"), expected(image))


def test_logits_get_their_sigmoid_only_when_asked() -> None:
    image = pictures(1)
    model = convolution(logits=True)
    fold(model, Recipe(8, 8, MEAN, STD, activation="sigmoid"))
    np.testing.assert_array_equal(run(model, {"IMAGE": image}, "ALPHA"), expected(image))


def test_a_network_that_overshoots_is_clipped_not_wrapped() -> None:
    model = convolution(logits=True)
    fold(model, Recipe(8, 8, MEAN, STD, activation="none"))
    image = pictures(1)
    logits = ((image.astype(np.float64) - MEAN) / STD) @ WEIGHTS.reshape(3) + BIAS
    assert logits.min() < 0
    assert logits.max() > 1
    np.testing.assert_array_equal(
        run(model, {"IMAGE": image}, "ALPHA"), np.rint(np.clip(logits, 0, 1) * 255).astype(np.uint8)
    )


def test_what_the_matte_does_not_need_is_gone() -> None:
    model = convolution()
    model.graph.node.append(helper.make_node("Conv", ["input", "unused"], ["features"], "side"))
    model.graph.output.append(value("features", ["n", 1, 8, 8]))
    model.graph.initializer.append(helper.make_tensor("unused", TensorProto.FLOAT, [1, 3, 1, 1], [1, 2, 3]))
    fold(model, Recipe(8, 8, MEAN, STD, output="matte"))
    assert [output.name for output in model.graph.output] == ["ALPHA"]
    assert "side" not in {node.name for node in model.graph.node}
    assert "unused" not in {tensor.name for tensor in model.graph.initializer}
    image = pictures(1)
    np.testing.assert_array_equal(run(model, {"IMAGE": image}, "ALPHA"), expected(image))


def test_a_graph_bound_to_one_picture_is_declared_so() -> None:
    model = convolution(batch=1)
    model.graph.node[1].input[0] = "shaped"
    model.graph.node.insert(1, helper.make_node("Reshape", ["logits", "shape"], ["shaped"]))
    model.graph.initializer.append(helper.make_tensor("shape", TensorProto.INT64, [4], [1, 1, 8, 8]))
    assert not fold(model, RECIPE)
    onnx.checker.check_model(model, full_check=True)
    image = pictures(1)
    np.testing.assert_array_equal(run(model, {"IMAGE": image}, "ALPHA"), expected(image))


def test_the_same_network_gives_the_same_bytes() -> None:
    models = [half(), half()]
    for model in models:
        fold(model, RECIPE)
    assert models[0].SerializeToString(deterministic=True) == models[1].SerializeToString(deterministic=True)


def test_auto_is_refused_where_the_graph_does_not_tell() -> None:
    with pytest.raises(UnsupportedModelError, match="0–1 or logits"):
        fold(convolution(logits=True), RECIPE)


def test_a_second_sigmoid_is_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="already 0–1"):
        fold(convolution(), Recipe(8, 8, MEAN, STD, activation="sigmoid"))


@pytest.mark.parametrize("activation", ["auto", "none"])
def test_a_sigmoid_in_the_graph_is_enough(activation: Activation) -> None:
    model = convolution()
    fold(model, Recipe(8, 8, MEAN, STD, activation=activation))
    assert [node.op_type for node in model.graph.node].count("Sigmoid") == 1


def two_outputs() -> ModelProto:
    model = convolution()
    model.graph.output.append(value("logits", ["n", 1, 8, 8]))
    return model


def two_inputs() -> ModelProto:
    model = convolution()
    model.graph.input.append(value("trimap", ["n", 1, 8, 8]))
    return model


def two_channels() -> ModelProto:
    model = convolution()
    model.graph.initializer[0].CopyFrom(
        onnx.numpy_helper.from_array(np.repeat(WEIGHTS, 2, axis=0).astype(np.float32), "w")
    )
    model.graph.initializer[1].CopyFrom(onnx.numpy_helper.from_array(np.repeat(BIAS, 2), "b"))
    model.graph.output[0].CopyFrom(value("matte", ["n", 2, 8, 8]))
    return model


def half_sized() -> ModelProto:
    model = convolution()
    model.graph.node[0].attribute.append(helper.make_attribute("strides", [2, 2]))
    model.graph.output[0].CopyFrom(value("matte", ["n", 1, 4, 4]))
    return model


def contradictory() -> ModelProto:
    model = convolution()
    model.graph.node.insert(1, helper.make_node("Add", ["logits", "offsets"], ["moved"]))
    model.graph.node[2].input[0] = "moved"
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros((1, 1, 5, 5), np.float32), "offsets"))
    return model


def circular() -> ModelProto:
    nodes = [helper.make_node("Add", ["input", "matte"], ["sum"]), helper.make_node("Sigmoid", ["sum"], ["matte"])]
    return network(nodes, [value("input", ["n", 3, 8, 8])], [value("matte", ["n", 1, 8, 8])], {})


def bytes_in() -> ModelProto:
    model = convolution()
    model.graph.input[0].CopyFrom(value("input", ["n", 3, 8, 8], TensorProto.UINT8))
    return model


def old() -> ModelProto:
    model = convolution()
    model.opset_import[0].version = 10
    return model


@pytest.mark.parametrize(
    ("build", "message"),
    [
        pytest.param(two_outputs, "2 outputs; say which.*'matte'.*'logits'", id="two outputs"),
        pytest.param(two_inputs, "one picture, but has 2 inputs", id="two inputs"),
        pytest.param(two_channels, "one channel of 8×8, but is 1×2×8×8", id="two channels"),
        pytest.param(half_sized, "one channel of 8×8, but is 1×1×4×4", id="half the size"),
        pytest.param(contradictory, "does not fit", id="shapes contradict"),
        pytest.param(circular, "circle", id="circle"),
        pytest.param(bytes_in, r"must be float .* uint8 \[n, 3, 8, 8\]", id="uint8 already"),
        pytest.param(lambda: convolution(batch=4), "fixed to 4 pictures", id="batch fixed to 4"),
        pytest.param(lambda: convolution("n", 8, 16), "made for 8×16", id="another size"),
        pytest.param(lambda: convolution("n", 0, 8), "made for 0×8", id="no size"),
        pytest.param(old, "opset 10; 11 or newer", id="old opset"),
    ],
)
def test_what_is_no_matting_network_is_refused_with_the_reason(build: Callable[[], ModelProto], message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        fold(build(), RECIPE)


def test_an_unknown_output_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnsupportedModelError, match=r"no output 'alpha'; it has: 'matte' float \[n, 1, 8, 8\]"):
        fold(convolution(), Recipe(8, 8, MEAN, STD, output="alpha"))


def test_opset_11_is_enough() -> None:
    model = convolution()
    model.opset_import[0].version = 11
    fold(model, RECIPE)
    onnx.checker.check_model(model, full_check=True)
    image = pictures(1)
    np.testing.assert_array_equal(run(model, {"IMAGE": image}, "ALPHA"), expected(image))


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"std": (0.229, 0.224, 0.225)}, "0–255 scale"),
        ({"std": (1.0, 0.999, 1.0)}, "0–255 scale"),
        ({"mean": (float("nan"), 0.0, 0.0)}, "finite"),
        ({"std": (float("inf"), 1.0, 1.0)}, "finite"),
        ({"height": 0}, "0×8 is no picture"),
    ],
)
def test_a_recipe_that_cannot_be_meant_is_refused(recipe: dict[str, object], message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        Recipe(**({"height": 8, "width": 8, "mean": MEAN, "std": STD} | recipe))  # type: ignore[arg-type]


def test_std_of_one_means_raw_bytes() -> None:
    assert Recipe(8, 8, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)).std == (1.0, 1.0, 1.0)

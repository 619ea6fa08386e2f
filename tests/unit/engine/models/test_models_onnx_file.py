"""Reading ONNX files: weights in further files only where they may lie; damage is a sentence, not a crash."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from engine.models.errors import UnsupportedModelError
from engine.models.onnx_file import load_onnx
from tests.support.networks import WEIGHTS, convolution, network, value

SECRET = WEIGHTS.tobytes()


def external(location: str, *, length: int | None = None, offset: int | None = None) -> ModelProto:
    """`convolution` with its kernel in the file `location`."""
    model = convolution()
    _move(model.graph.initializer[0], location, length=length, offset=offset)
    return model


def external_attribute(location: str) -> ModelProto:
    """The same kernel in an attribute inside the branch of an If, where a walk over initializers does not see it."""
    tensor = numpy_helper.from_array(WEIGHTS, "w")
    _move(tensor, location)
    branches = {
        name: helper.make_graph(
            [helper.make_node("Constant", [], [name], value=tensor)], name, [], [value(name, [1, 3, 1, 1])]
        )
        for name in ("then_branch", "else_branch")
    }
    choice = helper.make_node("If", ["yes"], ["w"])
    choice.attribute.extend(helper.make_attribute(name, graph) for name, graph in branches.items())
    nodes = [choice, helper.make_node("Conv", ["input", "w"], ["matte"])]
    inputs, outputs = [value("input", [1, 3, 8, 8])], [value("matte", [1, 1, 8, 8])]
    return network(nodes, inputs, outputs, {"yes": np.ones((), np.bool_)})


def _move(tensor: TensorProto, location: str, **numbers: int | None) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entries = {"location": location} | {key: str(number) for key, number in numbers.items() if number is not None}
    for key, text in entries.items():
        tensor.external_data.add(key=key, value=text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The model's folder, beside a file that it must not reach."""
    (tmp_path / "secret").write_bytes(SECRET)
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


def write(model: ModelProto, folder: Path) -> Path:
    path = folder / "model.onnx"
    # Not onnx.save, which refuses some of these itself.
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.case("C5")
@pytest.mark.parametrize("build", [external, external_attribute])
def test_data_beside_the_model_is_read(folder: Path, build: Callable[[str], ModelProto]) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "weights.bin").write_bytes(SECRET)
    model = load_onnx(write(build("sub/weights.bin"), folder))
    onnx.checker.check_model(model)
    assert SECRET in model.SerializeToString()


@pytest.mark.case("C5")
@pytest.mark.parametrize("build", [external, external_attribute])
@pytest.mark.parametrize("location", ["../secret", "sub/../../secret", "./../secret", "{absolute}", "x\0../secret"])
def test_a_path_out_of_the_folder_is_refused(folder: Path, build: Callable[[str], ModelProto], location: str) -> None:
    (folder / "sub").mkdir()
    path = write(build(location.format(absolute=folder.parent / "secret")), folder)
    with pytest.raises(UnsupportedModelError, match="leaves the model's folder"):
        load_onnx(path)


@pytest.mark.case("C5")
@pytest.mark.parametrize("build", [external, external_attribute])
def test_a_symbolic_link_is_refused(folder: Path, build: Callable[[str], ModelProto]) -> None:
    (folder / "weights.bin").symlink_to(folder.parent / "secret")
    with pytest.raises(UnsupportedModelError, match="symbolic link"):
        load_onnx(write(build("weights.bin"), folder))


@pytest.mark.case("C5")
def test_a_linked_folder_is_refused(folder: Path) -> None:
    (folder / "sub").symlink_to(folder.parent)
    with pytest.raises(UnsupportedModelError, match="symbolic link"):
        load_onnx(write(external("sub/secret"), folder))


@pytest.mark.case("C5")
@pytest.mark.parametrize("location", ["nothing.bin", "", "."])
def test_what_is_not_a_file_is_refused(folder: Path, location: str) -> None:
    with pytest.raises(UnsupportedModelError, match=r"not a file|symbolic link"):
        load_onnx(write(external(location), folder))


def test_a_pipe_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "weights.bin")
    with pytest.raises(UnsupportedModelError, match="not a file"):
        load_onnx(write(external("weights.bin"), folder))


@pytest.mark.parametrize("numbers", [{"length": 13}, {"offset": 13}, {"offset": -4}, {"length": -1}])
def test_data_that_is_shorter_than_claimed_is_refused(folder: Path, numbers: dict[str, int]) -> None:
    (folder / "weights.bin").write_bytes(SECRET)
    with pytest.raises(UnsupportedModelError, match="cannot be read"):
        load_onnx(write(external("weights.bin", **numbers), folder))


def test_the_model_itself_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.onnx"
    link.symlink_to(write(convolution(), folder))
    assert load_onnx(link).graph.node


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError, match="cannot be read: No such file"):
        load_onnx(tmp_path / "nothing.onnx")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x80\x04\x95pickle", id="pickle"),
        pytest.param(convolution().SerializeToString()[:-20], id="cut off"),
    ],
)
def test_what_is_not_onnx_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(data)
    with pytest.raises(UnsupportedModelError, match="not an ONNX file"):
        load_onnx(tmp_path / "model.onnx")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").touch()
    with pytest.raises(UnsupportedModelError, match="no ONNX graph"):
        load_onnx(tmp_path / "model.onnx")

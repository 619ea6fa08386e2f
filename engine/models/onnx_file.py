"""Reading an ONNX file that may be hostile: nothing outside its own folder is ever opened."""

import os
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import ExternalDataInfo, load_external_data_for_tensor, uses_external_data

from engine.models.errors import UnsupportedModelError
from engine.models.graph import tensors


def load_onnx(path: Path) -> onnx.ModelProto:
    """Read the model at `path` with all its weights in memory.

    Weights may lie in further files ("external data"), but only in regular files under the same folder, reached
    without `..` and without a symbolic link: a model must not be able to read whatever its importer can.

    Raises:
        UnsupportedModelError: no such file, not ONNX, or external data that is missing, outside or cut off.
    """
    try:
        model = onnx.load(path, load_external_data=False)
    except OSError as exc:
        raise UnsupportedModelError(f"{path} cannot be read: {exc.strerror}.") from exc
    except DecodeError as exc:
        raise UnsupportedModelError(f"{path} is not an ONNX file, or it is cut off.") from exc
    if not model.graph.node:
        raise UnsupportedModelError(f"{path} holds no ONNX graph.")
    folder = path.parent.resolve()
    for tensor in tensors(model):
        if not uses_external_data(tensor):
            continue
        try:
            _require_inside(folder, ExternalDataInfo(tensor).location, tensor.name)
            load_external_data_for_tensor(tensor, str(folder))
            # It writes the default down, which would make other bytes of the same model.
            tensor.ClearField("data_location")
        except (OSError, ValueError, onnx.checker.ValidationError) as exc:
            raise UnsupportedModelError(f"The external data of tensor {tensor.name!r} cannot be read: {exc}") from exc
    return model


def _require_inside(folder: Path, location: str, tensor: str) -> None:
    """Refuse a `location` that is not the plain relative path of a regular file under `folder`."""
    refused = f"Tensor {tensor!r} has its data in {location!r}"
    if "\0" in location or Path(location).is_absolute() or ".." in Path(location).parts:
        raise UnsupportedModelError(f"{refused}, which leaves the model's folder.")
    path = folder / location
    if Path(os.path.realpath(path)) != path:
        raise UnsupportedModelError(f"{refused}, which is or lies behind a symbolic link.")
    if not path.is_file():
        raise UnsupportedModelError(f"{refused}, which is not a file in {folder}.")

"""Reading a TensorFlow Lite file: its tensors, its constants, and its operators in the order of execution."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from engine.models.errors import UnsupportedModelError

_IDENTIFIER = b"TFL3"
_TYPES: dict[int, np.dtype[Any]] = {
    tflite.TensorType.FLOAT32: np.dtype("<f4"),
    tflite.TensorType.FLOAT16: np.dtype("<f2"),
    tflite.TensorType.INT32: np.dtype("<i4"),
}
_NAMES = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}

DAMAGE = (struct.error, IndexError, TypeError, ValueError, OverflowError, AttributeError, MemoryError)
"""What the generated reader raises, at any question, when offsets in a file point where nothing is."""


@dataclass(frozen=True)
class Operator:
    """One operator. `name`: as TensorFlow Lite calls it, a custom one by its own name; tensors are named by number."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    _table: Any

    def options(self, kind: type[Any]) -> Any:  # noqa: ANN401 - the generated reader has no types.
        """What stands beside its tensors, read as `kind`, a class of the schema."""
        options, place = kind(), self._table.BuiltinOptions()
        if place is None:
            raise UnsupportedModelError(f"The operator {self.name} has no options.")
        options.Init(place.Bytes, place.Pos)
        return options

    @property
    def custom_options(self) -> bytes:
        """The options of a custom operator, in a form of its own."""
        return bytes(self._table.CustomOptionsAsNumpy())


class TfliteGraph:
    """The one graph of a TensorFlow Lite file, from one input to one output. Any question may raise `DAMAGE`."""

    def __init__(self, path: Path) -> None:
        """Read `path`.

        Raises:
            UnsupportedModelError: it is no TensorFlow Lite file, or holds more than such a graph.
        """
        try:
            data = path.read_bytes()
        except OSError as exc:
            raise UnsupportedModelError(f"{path} cannot be read: {exc.strerror}.") from exc
        if data[4:8] != _IDENTIFIER:
            raise UnsupportedModelError(f"{path} is not a TensorFlow Lite file.")
        self._model = tflite.Model.GetRootAs(data, 0)
        if self._model.SubgraphsLength() != 1:
            raise UnsupportedModelError(f"{path} must hold one graph, but holds {self._model.SubgraphsLength()}.")
        self._graph = self._model.Subgraphs(0)
        inputs, outputs = _numbers(self._graph.InputsAsNumpy()), _numbers(self._graph.OutputsAsNumpy())
        if len(inputs) != 1 or len(outputs) != 1:
            raise UnsupportedModelError(f"{path} must have one input and one output.")
        (self.input,), (self.output,) = inputs, outputs
        self.operators = tuple(self._read_operators())

    def shape(self, tensor: int) -> tuple[int, ...]:
        """The shape of a tensor; () for a single number."""
        found = self._graph.Tensors(tensor)
        return _numbers(found.ShapeAsNumpy()) if found.ShapeLength() else ()

    def constant(self, tensor: int) -> NDArray[Any] | None:
        """The values of a tensor that the file itself holds; None for one that is computed.

        Raises:
            UnsupportedModelError: its type is none of float32, float16 and int32, as quantised weights are.
        """
        found = self._graph.Tensors(tensor)
        data = self._model.Buffers(found.Buffer()).DataAsNumpy()
        if not isinstance(data, np.ndarray) or data.size == 0:
            return None
        if found.Type() not in _TYPES:
            raise UnsupportedModelError(f"Tensor {tensor} is of type {found.Type()}: only floats and int32 are read.")
        values: NDArray[Any] = np.frombuffer(data.tobytes(), _TYPES[found.Type()])
        return values.reshape(self.shape(tensor))

    def _read_operators(self) -> Iterator[Operator]:
        for index in range(self._graph.OperatorsLength()):
            table = self._graph.Operators(index)
            code = self._model.OperatorCodes(table.OpcodeIndex())
            number = code.BuiltinCode()
            custom = number == tflite.BuiltinOperator.CUSTOM
            name = code.CustomCode().decode() if custom else _NAMES.get(number, str(number))
            yield Operator(name, _numbers(table.InputsAsNumpy()), _numbers(table.OutputsAsNumpy()), table)


def _numbers(values: Any) -> tuple[int, ...]:  # noqa: ANN401 - an array, or 0 where the file has none.
    return tuple(int(value) for value in values) if isinstance(values, np.ndarray) else ()

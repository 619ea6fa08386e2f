"""How the requests of one execution become batches, and their results answers again."""

from dataclasses import replace

import numpy as np
import pytest

from engine.backend.batching import Feeds, batches_of, device_row, join, shape_fault, split
from engine.backend.plan import Plan, Tensor

PLAN = Plan(
    model_file="model.onnx",
    inputs=(Tensor("IMAGE", (-1, 2, 3)),),
    outputs=("ALPHA",),
    reports_device=True,
    max_batch_size=4,
    instances=1,
    accelerators=(),
    intra_threads=None,
    inter_threads=None,
)
NO_BATCH = replace(PLAN, max_batch_size=0)
TWO_INPUTS = replace(PLAN, inputs=(*PLAN.inputs, Tensor("MASK", (2,))))


def image(*shape: int) -> Feeds:
    """A request's input."""
    return {"IMAGE": np.arange(np.prod(shape), dtype=np.int32).reshape(shape)}


@pytest.mark.parametrize("shape", [(1, 5, 2, 3), (4, 5, 2, 3), (1, 1, 2, 3)])
def test_a_shape_that_fits_is_no_fault(shape: tuple[int, ...]) -> None:
    assert shape_fault(image(*shape), PLAN) is None


@pytest.mark.parametrize("shape", [(1, 5, 3, 3), (1, 5, 2), (5, 5, 2, 3), (0, 5, 2, 3)])
def test_a_shape_that_does_not_fit_is_named(shape: tuple[int, ...]) -> None:
    assert shape_fault(image(*shape), PLAN)


def test_without_a_batch_dimension_the_dims_are_the_shape() -> None:
    assert shape_fault(image(5, 2, 3), NO_BATCH) is None
    assert shape_fault(image(1, 5, 2, 3), NO_BATCH)


def test_inputs_of_different_batches_are_a_fault() -> None:
    fits = {**image(2, 5, 2, 3), "MASK": np.zeros((2, 2))}
    assert shape_fault(fits, TWO_INPUTS) is None
    assert shape_fault({**fits, "MASK": np.zeros((1, 2))}, TWO_INPUTS)


def test_equal_shapes_run_together_up_to_the_largest_batch() -> None:
    requests = [image(2, 5, 2, 3), image(1, 5, 2, 3), image(1, 5, 2, 3), image(1, 5, 2, 3)]
    assert sorted(batches_of(requests, PLAN)) == [[0, 1, 2], [3]]


def test_different_shapes_never_run_together() -> None:
    requests = [image(1, 5, 2, 3), image(1, 6, 2, 3), image(1, 5, 2, 3)]
    assert sorted(batches_of(requests, PLAN)) == [[0, 2], [1]]


def test_without_a_batch_dimension_each_request_runs_alone() -> None:
    assert list(batches_of([image(5, 2, 3), image(5, 2, 3)], NO_BATCH)) == [[0], [1]]


def test_splitting_gives_each_request_its_own_rows() -> None:
    requests = [image(1, 5, 2, 3), image(2, 5, 2, 3), image(1, 5, 2, 3)]
    batch = join(requests, PLAN)
    parts = split(batch, [1, 2, 1])

    assert batch["IMAGE"].shape == (4, 5, 2, 3)
    for request, part in zip(requests, parts, strict=True):
        np.testing.assert_array_equal(part["IMAGE"], request["IMAGE"])


def test_a_lone_request_is_not_copied() -> None:
    request = image(2, 5, 2, 3)
    assert join([request], PLAN)["IMAGE"] is request["IMAGE"]
    assert split(request, [2]) == [request]


@pytest.mark.parametrize(("rows", "shape"), [(None, (1,)), (1, (1, 1)), (3, (3, 1))])
def test_the_device_is_told_for_each_row(rows: int | None, shape: tuple[int, ...]) -> None:
    told = device_row("cpu/mnn/f32", rows)["DEVICE"]
    assert told.shape == shape
    assert set(told.flat) == {b"cpu/mnn/f32"}

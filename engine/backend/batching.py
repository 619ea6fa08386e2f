"""Triton hands an execution several requests; here they become few batches and then answers again. Pure numpy."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backend.plan import DEVICE, Plan

Feeds = Mapping[str, NDArray[Any]]


def shape_fault(feeds: Feeds, plan: Plan) -> str | None:
    """Say what is wrong with one request's shapes, None where they fit the plan.

    Triton checks fixed dims itself; a batch that differs between inputs, or is empty, would spoil its neighbours'.
    """
    batches = set()
    for tensor in plan.inputs:
        shape = feeds[tensor.name].shape
        sample = shape if plan.max_batch_size == 0 else shape[1:]
        fits = len(sample) == len(tensor.dims) and all(
            want in (-1, have) for want, have in zip(tensor.dims, sample, strict=True)
        )
        if not fits:
            return f"input {tensor.name} has shape {list(shape)}, the model takes {list(tensor.dims)} a sample"
        if plan.max_batch_size:
            batches.add(shape[0])
    if plan.max_batch_size and (len(batches) != 1 or not 1 <= min(batches) <= plan.max_batch_size):
        return f"batch of {sorted(batches)}, the model takes 1 to {plan.max_batch_size}, equal for all inputs"
    return None


def batches_of(requests: Sequence[Feeds], plan: Plan) -> Iterator[list[int]]:
    """Indices of the requests that can run together: of one shape and within max_batch_size, in order of arrival."""
    if plan.max_batch_size == 0:
        yield from ([index] for index in range(len(requests)))
        return
    open_batches: dict[tuple[tuple[int, ...], ...], tuple[list[int], int]] = {}
    for index, feeds in enumerate(requests):
        key = tuple(feeds[tensor.name].shape[1:] for tensor in plan.inputs)
        members, rows = open_batches.get(key, ([], 0))
        more = rows_of(feeds, plan)
        if members and rows + more > plan.max_batch_size:
            yield members
            members, rows = [], 0
        open_batches[key] = ([*members, index], rows + more)
    yield from (members for members, _ in open_batches.values())


def rows_of(feeds: Feeds, plan: Plan) -> int:
    """Samples in one request of a model that has a batch dimension."""
    return int(feeds[plan.inputs[0].name].shape[0])


def join(requests: Sequence[Feeds], plan: Plan) -> Feeds:
    """One batch of them all; a lone request is passed on without a copy."""
    if len(requests) == 1:
        return requests[0]
    return {tensor.name: np.concatenate([feeds[tensor.name] for feeds in requests]) for tensor in plan.inputs}


def split(outputs: Feeds, rows: Sequence[int]) -> list[Feeds]:
    """Cut a batch's outputs into `rows[i]` samples for each request; a lone request gets them whole."""
    if len(rows) == 1:
        return [outputs]
    cuts = np.cumsum(rows)[:-1]
    parts = {name: np.split(array, cuts) for name, array in outputs.items()}
    return [{name: part[index] for name, part in parts.items()} for index in range(len(rows))]


def device_row(device: str, rows: int | None) -> Feeds:
    """The DEVICE output: `device` once for each row of the batch; `rows` None where there is no batch dimension."""
    shape = (1,) if rows is None else (rows, 1)
    return {DEVICE: np.full(shape, device.encode(), dtype=np.object_)}

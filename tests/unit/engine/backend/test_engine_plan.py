"""What the backend reads from a model's configuration, and what it refuses to overlook."""

from typing import Any

import pytest

from engine.backend.plan import (
    Accelerator,
    PlanError,
    Tensor,
    check_numpy,
    choose,
    cores,
    has_bf16,
    parse,
    shape_of,
)

BF16_X86 = "processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16 sse\nbogomips\t: 1\n"
BF16_ARM = "Features\t: fp asimd bf16 i8mm\n"
AVX2 = "model name\t: bf16 lake\nflags\t\t: fpu avx2 f16c\n"


def config(**changes: Any) -> dict[str, Any]:
    """A configuration as Triton hands it over, with the fields that matter here."""
    return {
        "max_batch_size": 1,
        "default_model_filename": "model.onnx",
        "input": [{"name": "IMAGE", "dims": ["8", "8", "3"]}],
        "output": [{"name": "ALPHA"}, {"name": "DEVICE"}],
        "instance_group": [{"count": 1, "kind": "KIND_CPU"}],
        "parameters": {"license": {"string_value": "MIT"}},
        "optimization": {"execution_accelerators": {"cpu_execution_accelerator": []}},
    } | changes


def accelerated(*accelerators: dict[str, Any]) -> dict[str, Any]:
    """A configuration with these accelerators."""
    return config(optimization={"execution_accelerators": {"cpu_execution_accelerator": list(accelerators)}})


def test_reads_what_the_model_is() -> None:
    plan = parse(config(instance_group=[{"count": 2}, {"count": 1}]))

    assert plan.inputs == (Tensor("IMAGE", (8, 8, 3)),)
    assert plan.outputs == ("ALPHA",)
    assert plan.reports_device
    assert (plan.model_file, plan.max_batch_size, plan.instances) == ("model.onnx", 1, 3)
    assert plan.accelerators == ()


def test_a_model_without_the_device_output_reports_none() -> None:
    assert not parse(config(output=[{"name": "ALPHA"}])).reports_device


def test_a_card_for_a_gpu_is_refused_and_not_served_by_the_cpu_unseen() -> None:
    with pytest.raises(PlanError, match="KIND_GPU"):
        parse(config(instance_group=[{"count": 2, "kind": "KIND_GPU"}]))


def test_reads_threads_as_the_cpp_backend_names_them() -> None:
    words = {"intra_op_thread_count": {"string_value": "3"}, "inter_op_thread_count": {"string_value": "2"}}
    plan = parse(config(parameters=words))

    assert (plan.intra_threads, plan.inter_threads) == (3, 2)


def test_no_thread_count_and_zero_leave_the_choice_to_the_backend() -> None:
    assert parse(config()).intra_threads is None
    assert parse(config(parameters={"intra_op_thread_count": {"string_value": "0"}})).intra_threads is None


def test_reads_the_accelerators_in_their_order() -> None:
    first = {"name": "openvino", "parameters": {"precision": "BF16", "num_of_threads": "2", "num_streams": "1"}}
    plan = parse(accelerated(first, {"name": "mnn"}))

    assert plan.accelerators == (Accelerator("openvino", "bf16", 2, 1), Accelerator("mnn"))


@pytest.mark.parametrize(
    ("accelerator", "named"),
    [
        ({"name": "tensorrt"}, "tensorrt"),
        ({"name": "openvino", "parameters": {"precison": "bf16"}}, "precison"),
        ({"name": "openvino", "parameters": {"precision": "int8"}}, "int8"),
        ({"name": "openvino", "parameters": {"num_of_threads": "many"}}, "num_of_threads"),
        ({"name": "mnn", "parameters": {"num_streams": "2"}}, "num_streams"),
    ],
)
def test_what_it_does_not_know_is_an_error_that_names_it(accelerator: dict[str, Any], named: str) -> None:
    with pytest.raises(PlanError, match=named):
        parse(accelerated({"name": "openvino"}, accelerator))


def test_a_thread_count_that_is_no_number_is_an_error() -> None:
    with pytest.raises(PlanError, match="intra_op_thread_count is '-1'"):
        parse(config(parameters={"intra_op_thread_count": {"string_value": "-1"}}))


OPENVINO_BF16 = {"name": "openvino", "parameters": {"precision": "bf16"}}


@pytest.mark.parametrize(
    ("accelerators", "bf16", "chosen"),
    [
        ([], True, None),
        ([OPENVINO_BF16], True, Accelerator("openvino", "bf16")),
        ([OPENVINO_BF16], False, Accelerator("openvino", "f32")),
        ([OPENVINO_BF16, {"name": "mnn"}], True, Accelerator("openvino", "bf16")),
        ([OPENVINO_BF16, {"name": "mnn"}], False, Accelerator("mnn", "f32")),
        ([{"name": "mnn"}, OPENVINO_BF16], True, Accelerator("mnn", "f32")),
    ],
)
def test_the_first_accelerator_that_the_cpu_can_serve_is_chosen(
    accelerators: list[dict[str, Any]], chosen: Accelerator | None, *, bf16: bool
) -> None:
    assert choose(parse(accelerated(*accelerators)), bf16=bf16) == chosen


@pytest.mark.parametrize(("cpuinfo", "expected"), [(BF16_X86, True), (BF16_ARM, True), (AVX2, False), ("", False)])
def test_bf16_is_read_from_the_flags_alone(cpuinfo: str, *, expected: bool) -> None:
    assert has_bf16(cpuinfo) is expected


@pytest.mark.parametrize(("batch", "shape"), [(0, [8, -1, 3]), (1, [1, 8, -1, 3]), (4, [(1, 4), 8, -1, 3])])
def test_the_batch_dimension_is_as_static_as_the_card_allows(batch: int, shape: list[Any]) -> None:
    assert shape_of((8, -1, 3), batch) == shape


def test_this_process_may_use_a_core() -> None:
    assert cores() >= 1


@pytest.mark.parametrize("version", ["2.0.0", "2.3.4", "10.0"])
def test_numpy_2_is_refused(version: str) -> None:
    with pytest.raises(PlanError, match=f"numpy {version}"):
        check_numpy(version)


def test_numpy_1_is_accepted() -> None:
    check_numpy("1.26.4")

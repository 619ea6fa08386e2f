"""The card: what is written is what is read, and what Triton is told is the model contract."""

from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as pb

from cards.card import CARD_FILE, CPU_CARD_FILE, GPU_CARD_FILE, ModelCard, default_version, read_card
from cards.errors import CardError
from cards.facts import Facts
from cards.render import render_card, write_card
from tests.support.toy_model import write_toy_model

FACTS = Facts(
    sha256="ab" * 32,
    size=176_000_000,
    mean=(123.675, 0.1 + 0.2, 128.0),
    std=(58.395, 57.12, 57.375),
    license="MIT",
    source='https://example.org/a?b="c"\nd',
    source_sha256="cd" * 32,
    description="Füchse: ½ \\ “quoted”",
)
SECOND = replace(FACTS, sha256="ef" * 32, license="Apache-2.0", mean=(0.0, 0.0, 0.0), quality="MAE 0.012", size=7)
CARD = ModelCard(name="fox", height=144, width=256, versions={1: FACTS})


def _parse(path: Path) -> pb.ModelConfig:
    return text_format.Parse(path.read_text(encoding="utf-8"), pb.ModelConfig())


@pytest.mark.parametrize(
    "card",
    [
        CARD,
        replace(CARD, threads=2),
        replace(CARD, threads=0),
        replace(CARD, versions={1: replace(FACTS, dynamic_batch=False)}),
        replace(CARD, versions={1: FACTS, 2: SECOND, 11: FACTS}),
        replace(CARD, versions={3: SECOND}, default=3),
    ],
)
def test_a_card_survives_the_round_trip(tmp_path: Path, card: ModelCard) -> None:
    write_card(card, tmp_path)
    assert read_card(tmp_path) == card


def test_a_new_version_is_not_served_by_chance(tmp_path: Path) -> None:
    write_card(replace(CARD, versions={1: FACTS, 2: SECOND}), tmp_path)
    for file in render_card(CARD):
        assert list(_parse(tmp_path / file).version_policy.specific.versions) == [1]
    assert default_version(tmp_path) == 1


def test_one_version_that_takes_one_picture_is_enough_for_no_batches(tmp_path: Path) -> None:
    write_card(replace(CARD, versions={1: FACTS, 2: replace(SECOND, dynamic_batch=False)}), tmp_path)
    config = _parse(tmp_path / CARD_FILE)
    assert config.max_batch_size == 1
    assert not config.HasField("dynamic_batching")


def test_both_files_say_the_contract(tmp_path: Path) -> None:
    write_card(CARD, tmp_path)
    for file in (CARD_FILE, CPU_CARD_FILE, GPU_CARD_FILE):
        config = _parse(tmp_path / file)
        assert (config.name, config.backend) == ("fox", "onnxruntime")
        assert [(i.name, i.data_type, list(i.dims)) for i in config.input] == [("IMAGE", pb.TYPE_UINT8, [144, 256, 3])]
        alpha = config.output[0]
        assert (alpha.name, alpha.data_type, list(alpha.dims)) == ("ALPHA", pb.TYPE_UINT8, [144, 256])
        assert config.parameters["sha256"].string_value == FACTS.sha256


def test_the_portable_card_binds_no_device(tmp_path: Path) -> None:
    write_card(CARD, tmp_path)
    config = _parse(tmp_path / CARD_FILE)
    assert not config.instance_group
    assert not config.HasField("optimization")
    assert config.max_batch_size == 8
    assert len(config.output) == 1


def test_the_cpu_card_asks_for_one_instance_and_names_its_device(tmp_path: Path) -> None:
    write_card(CARD, tmp_path)
    config = _parse(tmp_path / CPU_CARD_FILE)
    assert [(group.count, group.kind) for group in config.instance_group] == [(1, pb.ModelInstanceGroup.KIND_CPU)]
    wanted = config.optimization.execution_accelerators.cpu_execution_accelerator
    assert [(a.name, dict(a.parameters)) for a in wanted] == [("openvino", {"precision": "bf16"}), ("mnn", {})]
    device = config.output[1]
    assert (device.name, device.data_type, list(device.dims)) == ("DEVICE", pb.TYPE_STRING, [1])
    assert config.max_batch_size == 1
    assert not config.HasField("dynamic_batching")


def test_the_gpu_card_asks_for_fp16_batches_and_is_never_served_by_a_cpu(tmp_path: Path) -> None:
    write_card(CARD, tmp_path)
    config = _parse(tmp_path / GPU_CARD_FILE)
    assert [(group.count, group.kind) for group in config.instance_group] == [(2, pb.ModelInstanceGroup.KIND_GPU)]
    (wanted,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert (wanted.name, wanted.parameters["precision_mode"]) == ("tensorrt", "FP16")
    assert not config.optimization.execution_accelerators.cpu_execution_accelerator
    assert config.max_batch_size == 8
    assert list(config.dynamic_batching.preferred_batch_size) == [4, 8]
    assert config.dynamic_batching.max_queue_delay_microseconds > 0
    assert [one.batch_size for one in config.model_warmup] == [1, 8]
    for one in config.model_warmup:
        assert (list(one.inputs["IMAGE"].dims), one.inputs["IMAGE"].zero_data) == ([144, 256, 3], True)


@pytest.mark.parametrize("threads", [0, 2])
def test_a_network_with_threads_of_its_own_runs_on_onnx_runtime_alone(tmp_path: Path, threads: int) -> None:
    write_card(replace(CARD, threads=threads), tmp_path)
    config = _parse(tmp_path / CPU_CARD_FILE)
    assert not config.HasField("optimization")
    assert config.parameters["intra_op_thread_count"].string_value == str(threads)


def test_a_network_of_a_millisecond_is_not_compiled_for_a_gpu(tmp_path: Path) -> None:
    write_card(replace(CARD, threads=1), tmp_path)
    config = _parse(tmp_path / GPU_CARD_FILE)
    assert [one.name for one in config.optimization.execution_accelerators.gpu_execution_accelerator] == ["cuda"]


def test_one_picture_at_a_time_is_warmed_up_so_on_a_gpu(tmp_path: Path) -> None:
    write_card(replace(CARD, versions={1: replace(FACTS, dynamic_batch=False)}), tmp_path)
    config = _parse(tmp_path / GPU_CARD_FILE)
    assert (config.max_batch_size, [one.batch_size for one in config.model_warmup]) == (1, [1])
    assert not config.HasField("dynamic_batching")


def test_the_same_card_is_the_same_bytes(tmp_path: Path) -> None:
    write_card(CARD, tmp_path / "a")
    write_card(CARD, tmp_path / "b")
    for file in (CARD_FILE, CPU_CARD_FILE, GPU_CARD_FILE):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_folder_without_a_card_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"config\.pbtxt is missing"):
        read_card(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name:", "naem:", "not a Triton model configuration"),
        ('key: "sha256"', 'key: "sha"', "no parameter 'sha256'"),
        ('key: "size"', 'key: "weight"', "no parameter 'size'"),
        ("dims: 3", "", "model contract"),
        ('string_value: "0 0 0"', 'string_value: "0 0"', "model contract"),
        ('string_value: "0 0 0"', 'string_value: "0 nan 0"', "model contract"),
    ],
)
def test_a_card_outside_the_contract_is_an_error(tmp_path: Path, old: str, new: str, message: str) -> None:
    folder = write_toy_model(tmp_path)
    path = folder / CARD_FILE
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(CardError, match=message):
        read_card(folder)

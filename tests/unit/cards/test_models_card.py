"""The card: what is written is what is read, and what Triton is told is the model contract."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as pb

from cards.card import CARD_FILE, CPU_CARD_FILE, ModelCard, read_card, write_card
from cards.errors import CardError
from tests.support.toy_model import write_toy_model

CARD = ModelCard(
    name="fox",
    height=144,
    width=256,
    sha256="ab" * 32,
    mean=(123.675, 0.1 + 0.2, 128.0),
    std=(58.395, 57.12, 57.375),
    license="MIT",
    source='https://example.org/a?b="c"\nd',
    source_sha256="cd" * 32,
    description="Füchse: ½ \\ “quoted”",
)


def _parse(path: Path) -> pb.ModelConfig:
    return text_format.Parse(path.read_text(encoding="utf-8"), pb.ModelConfig())


@pytest.mark.parametrize("dynamic_batch", [True, False])
def test_a_card_survives_the_round_trip(tmp_path: Path, dynamic_batch: bool) -> None:  # noqa: FBT001
    card = ModelCard(**{**CARD.__dict__, "dynamic_batch": dynamic_batch})
    write_card(card, tmp_path)
    assert read_card(tmp_path) == card


def test_both_files_say_the_contract(tmp_path: Path) -> None:
    write_card(CARD, tmp_path)
    for file in (CARD_FILE, CPU_CARD_FILE):
        config = _parse(tmp_path / file)
        assert (config.name, config.backend) == ("fox", "onnxruntime")
        assert [(i.name, i.data_type, list(i.dims)) for i in config.input] == [("IMAGE", pb.TYPE_UINT8, [144, 256, 3])]
        alpha = config.output[0]
        assert (alpha.name, alpha.data_type, list(alpha.dims)) == ("ALPHA", pb.TYPE_UINT8, [144, 256])
        assert config.parameters["sha256"].string_value == CARD.sha256


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


def test_the_same_card_is_the_same_bytes(tmp_path: Path) -> None:
    write_card(CARD, tmp_path / "a")
    write_card(CARD, tmp_path / "b")
    for file in (CARD_FILE, CPU_CARD_FILE):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_folder_without_a_card_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"config\.pbtxt is missing"):
        read_card(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name:", "naem:", "not a Triton model configuration"),
        ('key: "sha256"', 'key: "sha"', "no parameter 'sha256'"),
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

"""What of a model repository is served on a machine without a GPU."""

from pathlib import Path

from engine.repository import survey
from tests.support.toy_model import write_toy_model

CARD = 'name: "{}" backend: "onnxruntime" max_batch_size: 1 {}'


def add(repository: Path, name: str, words: str = "", *, weights: bool = True) -> Path:
    """A model folder with a one-line card."""
    folder = repository / name
    (folder / "1").mkdir(parents=True)
    (folder / "config.pbtxt").write_text(CARD.format(name, words))
    if weights:
        (folder / "1" / "model.onnx").touch()
    return folder


def test_a_complete_model_is_served_without_complaint(tmp_path: Path) -> None:
    write_toy_model(tmp_path)
    found = survey(tmp_path)
    assert (found.models, found.refused, found.warnings) == (("toy",), (), ())


def test_a_card_that_asks_for_a_gpu_is_refused_unless_there_is_one_for_the_cpu(tmp_path: Path) -> None:
    folder = add(tmp_path, "big", "instance_group { kind: KIND_GPU }")
    assert "KIND_GPU" in survey(tmp_path).refused[0]

    (folder / "configs").mkdir()
    (folder / "configs" / "cpu.pbtxt").write_text(CARD.format("big", "instance_group { kind: KIND_CPU count: 1 }"))
    assert survey(tmp_path).models == ("big",)


def test_on_a_machine_with_a_gpu_its_card_is_read(tmp_path: Path) -> None:
    folder = add(tmp_path, "big", "instance_group { kind: KIND_CPU count: 1 }")
    (folder / "configs").mkdir()
    (folder / "configs" / "gpu.pbtxt").write_text(CARD.format("big", "instance_group { kind: KIND_GPU }"))
    assert survey(tmp_path, flavour="gpu").models == survey(tmp_path).models == ("big",)


def test_the_version_that_the_card_names_must_be_there(tmp_path: Path) -> None:
    folder = write_toy_model(tmp_path, "toy", 8)
    write_toy_model(tmp_path, "toy", 8, version=2)
    (folder / "1" / "model.onnx").unlink()
    assert survey(tmp_path).models == ()
    assert "no 1/model.onnx" in survey(tmp_path).refused[0]


def test_a_card_without_an_instance_group_is_served_with_a_warning(tmp_path: Path) -> None:
    add(tmp_path, "plain")
    found = survey(tmp_path)
    assert found.models == ("plain",)
    assert "instance_group" in found.warnings[0]


def test_what_cannot_be_served_is_named_and_takes_nothing_with_it(tmp_path: Path) -> None:
    write_toy_model(tmp_path)
    add(tmp_path, "unpulled", weights=False)
    add(tmp_path, "garbled", "what is this")
    (tmp_path / "cardless").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "README.md").touch()

    found = survey(tmp_path)

    assert found.models == ("toy",)
    assert [sentence.partition(":")[0] for sentence in found.refused] == ["cardless", "garbled", "unpulled"]
    assert "model.onnx" in found.refused[2]


def test_another_backend_needs_no_onnx_file(tmp_path: Path) -> None:
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "config.pbtxt").write_text('name: "pipeline" platform: "ensemble"')
    assert survey(tmp_path).models == ("pipeline",)

"""Generation models in a repository: their card, their seal, and what becomes of those that are not complete."""

from pathlib import Path

import pytest

from cards.card import CARD_FILE, read_config
from cards.check import State, check_hashes, inspect
from cards.errors import CardError
from cards.generation import is_generation, read_generation_card
from cards.manifest import hash_files, write_manifest
from cards.seal import SEAL_FILE, drop_bytecode, seal
from cards.weights import files_of, manifest_of
from engine.repository import survey
from tests.support.toy_generation import write_toy_generation
from tests.support.toy_model import write_toy_model

NO_HASH = "0" * 64
COMMITTED = Path(__file__).parents[3] / "model_repository"


def add_words(folder: Path, **parameters: str) -> None:
    """Add parameters to a card."""
    with (folder / CARD_FILE).open("a") as card:
        for key, value in parameters.items():
            card.write(f'parameters {{ key: "{key}" value {{ string_value: "{value}" }} }}\n')


def add_weights(folder: Path) -> Path:
    """Give a model weights that are as their manifest says."""
    add_words(folder, weights="weights")
    weights = folder / "weights"
    (weights / "unet").mkdir(parents=True)
    (weights / "model_index.json").write_text("{}")
    (weights / "unet" / "model.safetensors").write_bytes(bytes(range(256)))
    write_manifest(manifest_of(folder, "weights"), hash_files(weights, files_of(folder, "weights")))
    return weights


@pytest.mark.parametrize("decoupled", [False, True])
def test_a_card_is_read(tmp_path: Path, decoupled: bool) -> None:  # noqa: FBT001
    folder = write_toy_generation(tmp_path, decoupled=decoupled)
    add_words(folder, weights="weights", environment="diffusion")
    card = read_generation_card(folder, read_config(folder))
    assert (card.name, card.method, card.max_side, card.multiple) == ("toy_painter", "procedural", 512, 8)
    assert (card.default_steps, card.decoupled, card.license) == (4, decoupled, "Apache-2.0")
    assert (card.weights, card.environment) == ("weights", "diffusion")


def test_a_matting_model_is_none(tmp_path: Path) -> None:
    assert not is_generation(read_config(write_toy_model(tmp_path, size=8)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name: "SEED" data_type: TYPE_UINT64', 'name: "SEED" data_type: TYPE_INT64', "SEED TYPE_UINT64"),
        ('name: "IMAGE" data_type: TYPE_UINT8 dims: [ -1, -1, 3 ]', 'name: "IMAGE" dims: [ -1, -1 ]', "must have"),
        ('output { name: "DEVICE" data_type: TYPE_STRING dims: 1 }', "", "DEVICE TYPE_STRING"),
        ('backend: "python"', 'backend: "python" max_batch_size: 4', "one picture at a time"),
        ('key: "method"', 'key: "way"', "no parameter 'method'"),
        ('string_value: "procedural"', 'string_value: "magic"', "method must be one of"),
        ('string_value: "512"', 'string_value: "wide"', "contract"),
        ('string_value: "512"', 'string_value: "7"', "multiple ≤ max_side"),
    ],
)
def test_a_card_outside_the_contract_is_an_error(tmp_path: Path, old: str, new: str, message: str) -> None:
    folder = write_toy_generation(tmp_path)
    text = (folder / CARD_FILE).read_text()
    assert old in text
    (folder / CARD_FILE).write_text(text.replace(old, new))
    with pytest.raises(CardError, match=message):
        read_generation_card(folder, read_config(folder))
    (problem,) = check_hashes(tmp_path)
    assert str(folder / CARD_FILE) in problem


@pytest.mark.case("C4")
def test_one_flipped_bit_in_the_code_is_found_and_named(tmp_path: Path) -> None:
    write_toy_generation(tmp_path, "good")
    code = write_toy_generation(tmp_path, "bad") / "1" / "model.py"
    data = bytearray(code.read_bytes())
    data[len(data) // 2] ^= 1
    code.write_bytes(data)
    (problem,) = check_hashes(tmp_path)
    assert f"{code} is not what" in problem
    assert "models seal bad" in problem


@pytest.mark.case("C4")
@pytest.mark.parametrize("stranger", ["1/helper.py", "2/model.py", "1/deep/er.bin"])
def test_a_file_that_nobody_sealed_is_found(tmp_path: Path, stranger: str) -> None:
    path = write_toy_generation(tmp_path) / stranger
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    (problem,) = check_hashes(tmp_path)
    assert f"{path} is not in" in problem


def test_a_sealed_file_that_is_gone_is_found(tmp_path: Path) -> None:
    folder = write_toy_generation(tmp_path)
    (folder / "1" / "model.py").unlink()
    (problem,) = check_hashes(tmp_path)
    assert f"{folder / '1' / 'model.py'} is not there" in problem


def test_a_model_that_nobody_sealed_is_found(tmp_path: Path) -> None:
    folder = write_toy_generation(tmp_path)
    (folder / SEAL_FILE).unlink()
    (problem,) = check_hashes(tmp_path)
    assert f"{folder / SEAL_FILE} is missing" in problem


@pytest.mark.parametrize(
    "line", ["nonsense", "ab  1/model.py", f"{'0' * 64}  ../../elsewhere", f"{'0' * 64}  /etc/passwd"]
)
def test_a_seal_that_names_anything_else_is_an_error(tmp_path: Path, line: str) -> None:
    folder = write_toy_generation(tmp_path)
    (folder / SEAL_FILE).write_text(f"{line}\n")
    (problem,) = check_hashes(tmp_path)
    assert f"{folder / SEAL_FILE}:1" in problem


def test_sealing_again_takes_a_change_and_the_seal_is_what_sha256sum_reads(tmp_path: Path) -> None:
    folder = write_toy_generation(tmp_path)
    (folder / "1" / "helper.py").write_text("x")
    assert seal(folder) == 2
    assert check_hashes(tmp_path) == []
    lines = (folder / SEAL_FILE).read_text().splitlines()
    assert [line[64:] for line in lines] == ["  1/helper.py", "  1/model.py"]


@pytest.mark.case("C4")
def test_bytecode_is_taken_away_before_it_could_run(tmp_path: Path) -> None:
    cache = write_toy_generation(tmp_path) / "1" / "deep" / "__pycache__"
    cache.mkdir(parents=True)
    (cache / "model.cpython-311.pyc").write_bytes(b"anything")
    assert check_hashes(tmp_path) == []
    drop_bytecode(tmp_path)
    assert not cache.exists()


def test_weights_that_nobody_pulled_are_missing_and_the_model_is_left_out(tmp_path: Path) -> None:
    folder = write_toy_generation(tmp_path)
    add_words(folder, weights="weights")
    (found,) = inspect(tmp_path)
    assert (found.state, found.problem) == (
        State.MISSING,
        f"{folder / 'weights'} is not there: pull 'toy_painter' (clearcanvas models).",
    )
    served = survey(tmp_path)
    assert (served.models, served.refused) == ((), ())
    assert "is not there: pull" in served.optional[0]


def test_weights_as_their_manifest_says_are_good(tmp_path: Path) -> None:
    add_weights(write_toy_generation(tmp_path))
    assert [found.state for found in inspect(tmp_path)] == [State.GOOD]
    assert survey(tmp_path).models == ("toy_painter",)


@pytest.mark.case("C4")
def test_one_flipped_bit_in_the_weights_is_found_and_named(tmp_path: Path) -> None:
    file = add_weights(write_toy_generation(tmp_path)) / "unet" / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[7] ^= 128
    file.write_bytes(data)
    (problem,) = check_hashes(tmp_path)
    assert f"{file} is not what" in problem


def test_weights_of_which_one_is_gone_or_without_a_manifest_are_wrong(tmp_path: Path) -> None:
    folder = write_toy_generation(tmp_path)
    file = add_weights(folder) / "unet" / "model.safetensors"
    file.unlink()
    assert f"{file} is not there" in check_hashes(tmp_path)[0]
    manifest_of(folder, "weights").unlink()
    assert f"{manifest_of(folder, 'weights')} is missing" in check_hashes(tmp_path)[0]


@pytest.mark.parametrize("name", ["model.bin", "model.ckpt", "model.pt", "code.py", "pickle", "unet/x.pkl"])
def test_a_pickle_among_the_weights_is_refused_even_if_a_manifest_names_it(tmp_path: Path, name: str) -> None:
    folder = write_toy_generation(tmp_path)
    weights = add_weights(folder)
    (weights / name).write_bytes(b"anything")
    write_manifest(manifest_of(folder, "weights"), hash_files(weights, files_of(folder, "weights")))
    (problem,) = check_hashes(tmp_path)
    assert f"{weights / name} may not be there" in problem


def test_a_link_among_the_weights_is_refused(tmp_path: Path) -> None:
    weights = add_weights(write_toy_generation(tmp_path))
    (weights / "link.json").symlink_to("/etc/hostname")
    (problem,) = check_hashes(tmp_path)
    assert f"{weights / 'link.json'} may not be there" in problem


def test_a_model_whose_packages_are_not_installed_is_left_out(tmp_path: Path) -> None:
    folder = write_toy_generation(tmp_path)
    add_words(folder, environment="diffusion")
    assert "engine install --with diffusion-cpu or diffusion-cuda" in survey(tmp_path).optional[0]
    assert survey(tmp_path, frozenset({"diffusion"})).models == ("toy_painter",)


def test_the_committed_models_are_as_sealed_and_follow_the_contract() -> None:
    problems = [found.problem for found in inspect(COMMITTED) if found.state is State.WRONG]
    assert problems == []

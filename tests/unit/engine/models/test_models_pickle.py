"""A pickle is a program: nothing that touches models can read one."""

import ast
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.models.errors import UnsupportedModelError
from tests.support.imports import bring

ROOT = Path(__file__).parents[4]
FOLDERS = ("cards", "engine", "evaluation", "model_repository", "cli/models", "server")
READERS = frozenset({"pickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"})


def sources() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.case("C5")
def test_no_program_that_touches_models_reads_pickles() -> None:
    assert len(sources()) > 100
    found = {str(path): READERS & set(imported(ast.parse(path.read_text()))) for path in sources()}
    assert {path: readers for path, readers in found.items() if readers} == {}


@pytest.mark.case("C5")
def test_no_call_asks_a_library_to_read_pickles() -> None:
    """`torch.load` and `numpy.load(allow_pickle=…)`, under whatever name the library is imported."""
    found = []
    for path in sources():
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func)
            if name == "torch.load" or any(keyword.arg == "allow_pickle" for keyword in call.keywords):
                found.append(f"{path}:{call.lineno}")
    assert found == []


class Pickled:
    """What an unpickler would make of it: a file."""

    def __init__(self, proof: Path) -> None:
        self._proof = proof

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._proof,)


@pytest.mark.case("C5")
@pytest.mark.parametrize("name", ["net.pth", "net.pt", "net.onnx", "net.tflite"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_is_refused_and_never_run_whatever_it_is_called(tmp_path: Path, name: str, *, zipped: bool) -> None:
    data, file, proof = pickle.dumps(Pickled(tmp_path / "proof")), tmp_path / name, tmp_path / "proof"
    if zipped:  # As PyTorch saves it.
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("archive/data.pkl", data)
    else:
        file.write_bytes(data)
    with pytest.raises(UnsupportedModelError):
        bring(file, tmp_path / "repository")
    assert not proof.exists()
    assert not (tmp_path / "repository" / "tiny").exists()

from pathlib import Path

import pytest

from tools.tree import MAX_FILE_BYTES, MAX_FILE_LINES, MAX_FUNCTION_LINES, check_file


def offences(name: str, content: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[str]:
    monkeypatch.chdir(folder)
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return list(check_file(path))


def function(lines: int) -> str:
    return "def f():\n" + "    x = 1\n" * (lines - 1)


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.py", "\n" * (MAX_FILE_LINES + 1), "301 lines"),
        ("a.py", function(MAX_FUNCTION_LINES + 1), "f has 51 lines"),
        ("README.md", "\n" * 151, "151 lines"),
        ("models/x/1/model.onnx", "", "not committed"),
        ("env/pyvenv.cfg", "", "not committed"),
        ("pip.log", "", "not committed"),
        ("picture.png", "x" * (MAX_FILE_BYTES + 1), "at most"),
        ("requirements/app.lock", "--extra-index-url https://example.org/simple\n", "no addresses"),
    ],
)
def test_what_may_not_be_committed_is_said(
    name: str, content: str, word: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (offence,) = offences(name, content, monkeypatch, tmp_path)
    assert offence.startswith(name)
    assert word in offence


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.py", "\n" * MAX_FILE_LINES),
        ("a.py", function(MAX_FUNCTION_LINES)),
        ("README.md", "\n" * 150),
        ("proto/gen/a_pb2.py", "\n" * (MAX_FILE_LINES + 1)),
        ("notes.md", "\n" * (MAX_FILE_LINES + 1)),
        ("picture.png", "x" * MAX_FILE_BYTES),
        ("requirements/app.lock", "numpy==1 --hash=sha256:0\n"),
    ],
)
def test_what_may_be_committed_passes(name: str, content: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert offences(name, content, monkeypatch, tmp_path) == []

"""`make check-tree`: what may be committed, and how long a file and a function may be."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 50
MAX_README_LINES = 150
MAX_FILE_BYTES = 1_000_000

# Weights and built things are fetched by the user, under their own licences, and checked by hash.
_FORBIDDEN = re.compile(
    r"\.(onnx|pt|pth|ckpt|safetensors|tflite|pkl|npy|npz|so|whl|tgz|gz|zip|log|pyc)$|(^|/)(pyvenv\.cfg|node_modules/)"
)
_CODE = re.compile(r"\.(py|sh|js|mjs|ts|proto)$|(^|/)(Makefile|run)$")
_GENERATED = "proto/gen/"
_DOWNLOAD_ADDRESS = re.compile(r"index-url|https?://")


def main() -> int:
    """Prints every offence of the tracked files; 1 when there is one."""
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout  # noqa: S607
    offences = [offence for name in listed.split("\0") if Path(name).is_file() for offence in check_file(Path(name))]
    sys.stdout.writelines(f"{offence}\n" for offence in offences)
    return 1 if offences else 0


def check_file(path: Path) -> Iterator[str]:
    """Yields a sentence for each rule that the file breaks."""
    name = path.as_posix()
    if _FORBIDDEN.search(name):
        yield f"{name}: weights and built things are not committed"
    if (size := path.stat().st_size) > MAX_FILE_BYTES:
        yield f"{name}: {size} bytes, at most {MAX_FILE_BYTES}"
    if name.endswith(".lock") and _DOWNLOAD_ADDRESS.search(path.read_text(encoding="utf-8")):
        yield f"{name}: locks carry hashes and no addresses"
    if name.startswith(_GENERATED) or not (_CODE.search(name) or name == "README.md"):
        return
    text = path.read_text(encoding="utf-8")
    ceiling = MAX_README_LINES if name == "README.md" else MAX_FILE_LINES
    if (lines := len(text.splitlines())) > ceiling:
        yield f"{name}: {lines} lines, at most {ceiling}"
    if name.endswith(".py"):
        yield from _long_functions(name, text)


def _long_functions(name: str, text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            lines = node.end_lineno - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{name}:{node.lineno}: {node.name} has {lines} lines, at most {MAX_FUNCTION_LINES}"


if __name__ == "__main__":
    sys.exit(main())

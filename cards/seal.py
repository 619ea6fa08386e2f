"""The seal of a model written in Python: the hashes of its code, beside its card. A changed byte is not served.

Whoever changes the code seals it again (`clearcanvas models seal NAME`) and commits both.
"""

import shutil
from pathlib import Path

from cards.errors import CardError
from cards.manifest import first_difference, hash_files, write_manifest

SEAL_FILE = "files.sha256"


def seal(folder: Path) -> int:
    """Write the seal of the model in `folder`, and return how many files it holds."""
    hashes = hash_files(folder, _code(folder))
    write_manifest(folder / SEAL_FILE, hashes)
    return len(hashes)


def broken_seal(folder: Path) -> str | None:
    """A sentence that names the first file that is not as sealed; None where all are.

    Raises:
        CardError: there is no seal, or it cannot be read.
    """
    problem = first_difference(folder, folder / SEAL_FILE, _code(folder))
    return problem and f"{problem} If that is your change, seal it: clearcanvas models seal {folder.name}"


def drop_bytecode(repository: Path) -> None:
    """Remove the bytecode that lies beside the code of the models in `repository`.

    Triton's stub has Python write it there, whatever the environment says, and would run it in the place of the code:
    no seal speaks for it.

    Raises:
        CardError: it cannot be removed.
    """
    for folder in repository.glob("*/[0-9]*/**/__pycache__"):
        try:
            shutil.rmtree(folder)
        except OSError as exc:
            raise CardError(f"{folder} would be run in the place of the code, and cannot be removed: {exc}") from exc


def _code(folder: Path) -> list[Path]:
    found = (path for path in folder.glob("[0-9]*/**/*") if "__pycache__" not in path.parts)
    return [path for path in found if path.is_file()]

"""Where in its own virtual environment Triton is."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError

_FACTS = """
import json, sys, sysconfig
print(json.dumps({"packages": sysconfig.get_path("purelib"), "libraries": sysconfig.get_config_var("LIBDIR"),
                  "python": "%d.%d" % sys.version_info[:2]}))
"""


@dataclass(frozen=True)
class TritonEnvironment:
    """What `engine install` made: `root` the venv, `packages` its site-packages, `libraries` where libpython is."""

    root: Path
    packages: Path
    libraries: Path
    python: str

    @property
    def triton(self) -> Path:
        """The folder that the wheel carries tritonserver in."""
        return self.packages / "pytriton" / "tritonserver"


def locate(root: Path) -> TritonEnvironment:
    """Ask the venv's Python for its folders.

    Raises:
        EngineError: There is no such environment, or Triton is not in it.
    """
    python = root / "bin" / "python"
    if not python.exists():
        message = f"{root} is not there: run `python -m engine install` first"
        raise EngineError(message)
    answer = subprocess.run([python, "-I", "-c", _FACTS], check=True, capture_output=True, text=True)
    facts = json.loads(answer.stdout)
    found = TritonEnvironment(root.absolute(), Path(facts["packages"]), Path(facts["libraries"]), facts["python"])
    if not (found.triton / "bin" / "tritonserver").exists():
        message = f"{root} has no tritonserver in it: run `python -m engine install` again"
        raise EngineError(message)
    return found

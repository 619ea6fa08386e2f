"""What the tests of the diffusion model share: an environment that has diffusers, and a tiny pipeline."""

import subprocess
from pathlib import Path

import pytest

from engine.models.extras import installed_extras
from tests.support import tiny_diffusion


@pytest.fixture(scope="session")
def diffusion_env(triton_env: Path) -> Path:
    """Triton's environment, with diffusers."""
    if "diffusion" not in installed_extras(triton_env):
        pytest.skip(f"diffusers is not in {triton_env}; run: make diffusion")
    return triton_env


@pytest.fixture(scope="session")
def pipeline(diffusion_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline as diffusers saves one."""
    folder = tmp_path_factory.mktemp("tiny") / "pipeline"
    # Isolated: the modules beside the script have names of the standard library's.
    script = [str(diffusion_env / "bin" / "python"), "-I", tiny_diffusion.__file__, str(folder)]
    subprocess.run(script, check=True, capture_output=True, timeout=120)
    return folder

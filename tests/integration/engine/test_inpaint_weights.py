"""Weights of `inpaint` that are not what they should be: refused by the engine, and by the model itself."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from cards.card import read_config
from cards.manifest import hash_files, write_manifest
from cards.weights import files_of, manifest_of
from tests.integration.engine.engine_process import ended_engine
from tests.support.inpaint import INPAINT, write_inpaint


@dataclass(frozen=True)
class Loading:
    """Loads the weights in `weights` by the model's own code, outside of Triton."""

    python: Path
    weights: Path

    def complaint(self, **changes: str) -> str:
        """What it says, under the committed card with other parameters, when it fails."""
        code = (
            "import json, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
            "from inpaint.settings import read_settings; from inpaint.loading import load;"
            "load(Path(sys.argv[2]), read_settings(json.loads(sys.argv[3])), 'cpu')"
        )
        config = read_config(INPAINT)
        words = {key: {"string_value": config.parameters[key].string_value} for key in config.parameters}
        words |= {key: {"string_value": text} for key, text in changes.items()}
        command = [str(self.python), "-I", "-c", code, str(INPAINT / "1"), str(self.weights)]
        command.append(json.dumps({"parameters": words}))
        loaded = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
        assert loaded.returncode == 1, loaded.stderr
        return loaded.stderr


@pytest.fixture
def loading(pipeline: Path, diffusion_env: Path, tmp_path: Path) -> Loading:
    """In another engine, such as NVIDIA's container, nobody has looked at the weights before the model does."""
    shutil.copytree(pipeline, tmp_path / "weights")
    return Loading(diffusion_env / "bin" / "python", tmp_path / "weights")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pipeline": "MagicPipeline"}, "no DiffusionPipeline named 'MagicPipeline'"),
        ({"scheduler": "AutoencoderKL"}, "no SchedulerMixin named 'AutoencoderKL'"),
    ],
)
def test_a_class_that_diffusers_does_not_have_is_named(loading: Loading, changes: dict[str, str], message: str) -> None:
    assert message in loading.complaint(**changes)


def test_the_model_itself_refuses_pickles_and_names_missing_weights_too(loading: Loading) -> None:
    pickle = loading.weights / "unet" / "diffusion_pytorch_model.bin"
    pickle.write_bytes(b"\x80\x04.")
    assert f"{pickle} may not be there: weights are safetensors" in loading.complaint()
    shutil.rmtree(loading.weights)
    assert f"{loading.weights} has no model_index.json: pull the weights first" in loading.complaint()


@pytest.mark.case("C4")
def test_a_pickle_among_the_weights_is_refused_before_anything_is_loaded(
    pipeline: Path, diffusion_env: Path, tmp_path: Path
) -> None:
    folder = write_inpaint(tmp_path / "models", pipeline)
    pickle = folder / "weights" / "unet" / "diffusion_pytorch_model.bin"
    pickle.write_bytes(b"\x80\x04.")
    write_manifest(manifest_of(folder, "weights"), hash_files(folder / "weights", files_of(folder, "weights")))
    ended = ended_engine(tmp_path / "models", diffusion_env, tmp_path)
    assert ended.returncode == 1
    assert f"{pickle} may not be there" in ended.stderr


@pytest.mark.case("C4")
def test_weights_of_which_one_is_gone_are_refused_and_it_is_named(
    pipeline: Path, diffusion_env: Path, tmp_path: Path
) -> None:
    folder = write_inpaint(tmp_path / "models", pipeline)
    gone = folder / "weights" / "vae" / "config.json"
    gone.unlink()
    ended = ended_engine(tmp_path / "models", diffusion_env, tmp_path)
    assert ended.returncode == 1
    assert f"{gone} is not there" in ended.stderr

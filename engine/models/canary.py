"""A canary: load models in the real engine, send each one picture, and hold the answer against the contract."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tritonclient.grpc as triton
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from cards.card import ModelCard
from cards.copies import link_versions
from cards.generation import GenerationCard
from cards.target import Target
from engine.models.errors import CanaryError
from engine.models.extras import how_to_install, installed_extras
from engine.models.painting import paint

# A model is read and compiled in seconds, on a slow disk in tens of them; a first inference may take as long.
_START_S = 180.0
_INFER_S = 60.0
_PAINT_S = 600.0  # A diffusion model without a GPU.
_POLL_S = 0.2
# The engine gives Triton some seconds to end, then ends it.
_STOP_S = 20.0


@dataclass(frozen=True)
class Answer:
    """What a model said: `device` (device/runtime/precision), after `time_s`.

    `coverage`: the mean of alpha, 0 to 1; None for a generation model.
    """

    device: str
    coverage: float | None
    time_s: float


def ask(
    repository: Path, asked: Mapping[Target, ModelCard | GenerationCard], triton_env: Path
) -> dict[Target, Answer | CanaryError]:
    """Serve the versions `asked`, which lie in `repository`, on a port and in folders of their own, and ask each.

    Raises:
        CanaryError: the engine did not start; a fault of one version is in its place in the result.
    """
    unservable = {target: problem for target, card in asked.items() if (problem := _lacking_extra(card, triton_env))}
    servable = {target: card for target, card in asked.items() if target not in unservable}
    if not servable:
        return dict(unservable)
    with tempfile.TemporaryDirectory(prefix="clearcanvas-canary-") as scratch:
        folder = Path(scratch)
        for name in {target.model for target in servable}:
            versions = sorted(target.version for target in servable if target.model == name)
            link_versions(repository / name, versions, folder / "models" / name)
        with _engine(folder, triton_env) as (address, process), triton.InferenceServerClient(address) as client:
            _wait_until_served(client, process, set(servable), folder / "log")
            return unservable | {target: _ask_one(client, address, target, card) for target, card in servable.items()}


def canary_picture(height: int, width: int) -> NDArray[np.uint8]:
    """A bright disk on a dark slope, (height, width, 3) uint8 sRGB: something to find, and no channel like another."""
    rows, columns = np.mgrid[0:height, 0:width]
    inside = (rows / height - 0.5) ** 2 + (columns / width - 0.5) ** 2 < 0.3**2
    slope = 60 * columns // width
    return np.stack(
        [np.where(inside, 230, slope), np.where(inside, 190, 20), np.where(inside, 150, 60 - slope)], 2
    ).astype(np.uint8)


@contextmanager
def _engine(folder: Path, triton_env: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    environment = os.environ | {
        "CLEARCANVAS_TRITON": address,
        "CLEARCANVAS_TRITON_ENV": str(triton_env.absolute()),
        "CLEARCANVAS_MODEL_REPOSITORY": str(folder / "models"),
        "CLEARCANVAS_DATA": str(folder / "data"),
    }
    # Should this process be killed, the engine hears it and cleans up.
    command = ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", "engine"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            yield address, process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_served(
    client: triton.InferenceServerClient, process: subprocess.Popen[bytes], targets: set[Target], log: Path
) -> None:
    """Return when every version has either been loaded or refused, that is when the engine says that it serves."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise CanaryError(f"The engine ended with {process.returncode}:\n{log.read_text()[-2000:]}")
        try:
            states = client.get_model_repository_index(client_timeout=_INFER_S).models
        except InferenceServerException:
            states = []
        settled = {(one.name, one.version) for one in states if one.state in {"READY", "UNAVAILABLE"}}
        if settled >= {(target.model, str(target.version)) for target in targets}:
            return
        time.sleep(_POLL_S)
    raise CanaryError(f"The engine did not serve within {_START_S:.0f} s:\n{log.read_text()[-2000:]}")


def _lacking_extra(card: ModelCard | GenerationCard, triton_env: Path) -> CanaryError | None:
    if not isinstance(card, GenerationCard) or not card.environment:
        return None
    if card.environment in installed_extras(triton_env):
        return None
    return CanaryError(f"{card.name} needs more than {triton_env} has: {how_to_install(card.environment)}.")


def _ask_one(
    client: triton.InferenceServerClient, address: str, target: Target, card: ModelCard | GenerationCard
) -> Answer | CanaryError:
    if isinstance(card, ModelCard):
        return _ask_for_alpha(client, target, card)
    try:
        device, elapsed = paint(address, card, _PAINT_S)
    except CanaryError as exc:
        return exc
    return Answer(device, None, elapsed)


def _ask_for_alpha(client: triton.InferenceServerClient, target: Target, card: ModelCard) -> Answer | CanaryError:
    picture = canary_picture(card.height, card.width)[None]
    image = triton.InferInput("IMAGE", list(picture.shape), "UINT8")
    image.set_data_from_numpy(picture)
    name, version = target.model, str(target.version)
    try:
        metadata = client.get_model_metadata(name, version, client_timeout=_INFER_S)
        started = time.monotonic()
        result = client.infer(name, [image], version, client_timeout=_INFER_S)
        elapsed = time.monotonic() - started
    except InferenceServerException as exc:
        return CanaryError(f"{target} did not answer: {exc.message()}")
    alpha = result.as_numpy("ALPHA")
    expected = (1, card.height, card.width)
    if alpha is None or alpha.shape != expected or alpha.dtype != np.uint8:
        found = "nothing" if alpha is None else f"{alpha.dtype} {alpha.shape}"
        return CanaryError(f"{target} gave {found} as ALPHA instead of uint8 {expected}.")
    outputs = {output.name for output in metadata.outputs}
    device = result.as_numpy("DEVICE").flat[0].decode() if "DEVICE" in outputs else "unknown"
    return Answer(device, float(alpha.mean()) / 255, elapsed)

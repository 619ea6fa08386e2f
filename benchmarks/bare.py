"""Bare inference as a peer: the child process of `benchmarks.inference`, asked over a pipe."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from google.protobuf import json_format, text_format
from tritonclient.grpc import model_config_pb2

from benchmarks.load import FailedError
from benchmarks.photos import Photo


class Bare:
    """One child with the model loaded. `device` says what runs there."""

    def __init__(self, child: asyncio.subprocess.Process, device: str) -> None:
        self._child = child
        self.device = device

    async def __call__(self, photo: Photo) -> float:
        """Seconds of one inference on what the model sees of `photo`. Raises FailedError."""
        return float(await _ask(self._child, f"{photo.view.absolute()}\n"))


@asynccontextmanager
async def bare_inference(model: Path, environment: Path, folder: Path, which: str) -> AsyncIterator[Bare]:
    """Runs `which` ("stack" or "onnxruntime") on the model folder `model` in Triton's `environment`.

    `folder`: for what is made on the way, such as compiled models. Raises FailedError when it cannot load.
    """
    config = _write_config(model, folder)
    words = (model / "1" / "model.onnx", config, folder / "cache", which)
    child = await asyncio.create_subprocess_exec(
        *("setpriv", "--pdeathsig", "KILL", "--", environment / "bin" / "python", "-m", "benchmarks.inference", *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PATH": f"{(environment / 'bin').absolute()}:{os.environ['PATH']}"},
    )
    try:
        yield Bare(child, await _ask(child, ""))
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def _ask(child: asyncio.subprocess.Process, line: str) -> str:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(line.encode())
    answer = (await child.stdout.readline()).decode().strip()
    if not answer:
        raise FailedError(f"bare inference ended with status {await child.wait()}")
    return answer


def _write_config(model: Path, folder: Path) -> Path:
    """Writes the model's CPU configuration as Triton hands it to a Python backend."""
    message = text_format.Parse((model / "configs" / "cpu.pbtxt").read_text(), model_config_pb2.ModelConfig())
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.json"
    config.write_text(json_format.MessageToJson(message, preserving_proto_field_name=True))
    return config

"""rembg's own HTTP server as a peer, in its own environment, with the very weights that our stack serves."""

import asyncio
import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import onnx

from benchmarks.load import FailedError
from benchmarks.photos import Photo

VERSION = "2.0.86"

_LOCK = Path(__file__).with_name(
    "rembg.lock"
)  # Of `rembg[cpu,cli]`, by `uv pip compile --universal --generate-hashes`.
_START_LIMIT_S = 120.0
_ENDS = (["clearcanvas/normalised"], ["clearcanvas/matte"])  # What `models import` folds around a network.


def install(environment: Path) -> None:
    """Makes rembg's environment; one that was made from this very lock is kept. Raises CalledProcessError."""
    marker, wanted = environment / ".done", hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    if marker.exists() and marker.read_text() == wanted:
        return
    print(f"installing rembg {VERSION} into {environment}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
    python = str(environment / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run([*pip, "--require-hashes", "--no-deps", "-r", str(_LOCK)], check=True)
    # The first import compiles for up to a minute and keeps the result: no part of rembg's start.
    subprocess.run([python, "-c", "import rembg.commands"], check=True)
    marker.write_text(wanted)


def extract_network(model: Path, home: Path) -> Path:
    """The network inside our model's ONNX file, without what was folded around it, as rembg wants it.

    1×3×1024×1024 fp32 in and out, made once and kept in `home`, out of which rembg reads no model.
    """
    with model.open("rb") as file:
        network = home / f"isnet-{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}.onnx"
    if not network.exists():
        home.mkdir(parents=True, exist_ok=True)
        graph = onnx.utils.Extractor(onnx.shape_inference.infer_shapes(onnx.load(model))).extract_model(*_ENDS)
        for value in (*graph.graph.input, *graph.graph.output):
            value.type.tensor_type.shape.dim[0].dim_value = 1
        del graph.graph.value_info[:]
        onnx.save(graph, network)
    return network


@dataclass(frozen=True)
class Rembg:
    """A running server. `pid`: of its process. `start_s`: seconds from its start until it answered a first request."""

    pid: int
    start_s: float
    url: str
    network: Path
    session: aiohttp.ClientSession

    async def __call__(self, photo: Photo) -> float:
        """Seconds from the request to the last byte of the answer. Raises FailedError."""
        began = time.perf_counter()
        await self.cut_out(photo)
        return time.perf_counter() - began

    async def cut_out(self, photo: Photo) -> bytes:
        """The PNG that rembg makes. Raises FailedError."""
        form = aiohttp.FormData({"model": "dis_custom"})
        form.add_field("file", photo.data, filename="photo.jpg", content_type="image/jpeg")
        extras = {
            "extras": json.dumps({"model_path": str(self.network.absolute())})
        }  # In the query: rembg reads it there only.
        async with self.session.post(f"{self.url}/api/remove", params=extras, data=form) as response:
            body = await response.read()
            if response.status != 200 or not body.startswith(b"\x89PNG"):
                raise FailedError(f"rembg answered {response.status}: {body[:200]!r}")
            return body


@asynccontextmanager
async def rembg_server(environment: Path, network: Path, log: Path) -> AsyncIterator[Rembg]:
    """Runs `rembg s` on a free loopback port, without its web page. Raises FailedError when it does not start."""
    port = _free_port()
    began = time.perf_counter()
    with log.open("wb") as output:
        child = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "KILL", "--", environment / "bin" / "rembg"),
            *("s", "--host", "127.0.0.1", "--port", str(port), "--no-ui", "--log_level", "warning"),
            # A custom model must lie in rembg's home. It opens a browser at start, unless there is none.
            env=os.environ | {"REMBG_HOME": str(network.parent.absolute()), "HF_HUB_OFFLINE": "1", "BROWSER": "true"},
            stdout=output,
            stderr=output,
        )
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=600)) as session:
            url = f"http://127.0.0.1:{port}"
            await _until_up(session, url, child, log)
            yield Rembg(child.pid, time.perf_counter() - began, url, network, session)
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def _until_up(session: aiohttp.ClientSession, url: str, child: asyncio.subprocess.Process, log: Path) -> None:
    deadline = time.perf_counter() + _START_LIMIT_S
    while child.returncode is None and time.perf_counter() < deadline:
        try:
            async with session.get(f"{url}/openapi.json") as response:
                await response.read()
                return
        except aiohttp.ClientConnectionError:
            await asyncio.sleep(0.1)
    raise FailedError(f"rembg did not start; see {log}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

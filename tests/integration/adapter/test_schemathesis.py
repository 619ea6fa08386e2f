"""What /openapi.json promises, tried by schemathesis against the running adapter: it finds nothing.

Fixed in what it tries, and bounded. To look further: the same command with a seed and more examples (`-n 200`).
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from clearcanvas.v1 import jobs_pb2_grpc
from clearcanvas.v1.images_pb2 import EditRequest
from clearcanvas.v1.jobs_pb2 import JOB_KIND_VIDEO, Job, JobKind, JobOptions, VideoOrder

from adapter.keys.key import NewKey
from adapter.keys.store import KeyStore
from tests.integration.adapter.fake_jobs import Context, FakeJobService
from tests.integration.adapter.fake_service import RunningFake
from tests.integration.adapter.process import AdapterProcess, run_adapter

CONFIGURATION = Path(__file__).parent / "schemathesis.toml"
ROOT = Path(__file__).parents[3]
NOBODY = "http://127.0.0.1:9"  # Nothing is paid, so that no chain is asked.
PAYMENTS = {
    "x402_network": "base-sepolia",
    "x402_pay_to": "0x" + "ab" * 20,
    "x402_rpc_url": NOBODY,
    "x402_key": "0x" + "11" * 32,
    "mpp_network": "moderato",
    "mpp_recipient": "0x" + "ab" * 20,
    "mpp_rpc_url": NOBODY,
    "mpp_secret": "s" * 40,
    "unpaid_per_minute": "1000000",
}


class QuickJobs(FakeJobService):
    """Has every job done when it is submitted."""

    async def _accept(
        self,
        options: JobOptions,
        kind: JobKind.ValueType,
        request: EditRequest | VideoOrder,
        upload: bytes,
        context: Context,
    ) -> Job:
        is_known = options.id in self.jobs
        job = await super()._accept(options, kind, request, upload, context)
        if not is_known and options.id in self.jobs:
            content_type = "video/mp4" if kind == JOB_KIND_VIDEO else "image/png"
            await self.jobs[options.id].succeed(b"result", content_type)
        return job


@pytest_asyncio.fixture
async def quick() -> AsyncIterator[RunningFake]:
    running = RunningFake(lambda server: jobs_pb2_grpc.add_JobServiceServicer_to_server(QuickJobs(), server))
    await running.start()
    yield running
    await running.stop()


async def try_out(adapter: AdapterProcess, folder: Path, examples: int, *options: str) -> None:
    """Runs schemathesis, which leaves its notes in `folder`, and shows all it says where it finds something."""
    command = ["-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "run", f"{adapter.url}/openapi.json"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command, "--no-color", "-n", str(examples), *options),
        cwd=folder,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.support.openapi_hooks", "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode(errors="replace")


async def test_nothing_is_found_where_all_is_open(quick: RunningFake, tmp_path: Path) -> None:
    async with run_adapter(quick.address) as adapter:
        await try_out(adapter, tmp_path, 2)


async def test_nothing_is_found_where_all_is_sold(quick: RunningFake, tmp_path: Path) -> None:
    """Whoever brings neither key nor payment is asked to pay: the answer has the schema of both protocols."""
    url = f"sqlite:///{tmp_path}/keys.sqlite"
    store = KeyStore(url)
    await store.start()
    await store.add(NewKey("so that nothing is open"))
    await store.close()
    async with run_adapter(quick.address, keys=url, **PAYMENTS) as adapter:
        await try_out(adapter, tmp_path, 1, "--phases", "examples,coverage")

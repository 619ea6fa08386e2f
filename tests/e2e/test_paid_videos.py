"""The official clients pay for videos, on real chains: nothing while it is at work, once for what is made of it."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.clients import MPP_PULL, MPP_PUSH, X402_V2, Client, Paid, pay
from tests.support.clip_scenes import Scene
from tests.support.clips import decoded_frames, film
from tests.support.paid_jobs import fetch, uuid_of
from tests.support.paid_pictures import make_paid_photo
from tests.support.paid_stack import PaidStack, Payer, RunningAdapter
from tests.support.processes import eventually
from tests.support.recorder import recording
from tests.support.server import RunningServer, picture

pytestmark = pytest.mark.usefixtures("client_packages")
SUBMIT, RESULT = "/video/submit/v1", "/video/result/"
PRICE = 500_000
FRAMES = 6
CLIENTS = pytest.mark.parametrize("client", [X402_V2, MPP_PULL, MPP_PUSH], ids=lambda client: client.name)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bright disc, which is subject to the toy model, before something dark: a quarter of a second."""
    shown = np.asarray(Image.open(io.BytesIO(picture(320, 240))))
    return film(tmp_path_factory.mktemp("clips") / "disc.mp4", Scene([shown] * FRAMES))


async def order(adapter: str, client: Client, payer: Payer, folder: Path, form: dict[str, str], **files: Path) -> Paid:
    """Submit a video through the client, by the toy model; `adapter`: its address, or a recorder's."""
    return await pay(
        client,
        f"http://{adapter}{SUBMIT}",
        b"",
        folder,
        key=payer.key,
        rpc_url=payer.rpc_url,
        form={"matting": "quality", **form},
        files=files,
    )


@asynccontextmanager
async def nobody_at_work(server: RunningServer) -> AsyncIterator[None]:
    """While the block lasts, jobs are taken in and none gets on."""
    await eventually(lambda: bool(server.job_workers()), "there is a worker for jobs")
    workers = server.job_workers()
    for worker in workers:
        worker.suspend()
    try:
        yield
    finally:
        for worker in workers:
            worker.resume()


def check_video(content: bytes, folder: Path) -> None:
    """It plays: all frames, in order of time, the disc before blue."""
    video = folder / "result.mp4"
    video.write_bytes(content)
    frames = decoded_frames(video)
    assert [round(time_s * 25) for time_s, _ in frames] == list(range(FRAMES))
    for _, pixels in frames:
        assert pixels.shape == (240, 320, 4)
        assert np.abs(pixels[:20, :, :3].mean(axis=(0, 1)) - (0, 0, 255)).max() <= 4
        assert np.abs(pixels[110:130, 150:170, :3].mean(axis=(0, 1)) - (230, 220, 210)).max() <= 6


@CLIENTS
async def test_a_client_pays_once_for_a_video_when_it_is_ready(  # noqa: PLR0917 - fixtures
    paid_stack: PaidStack,
    paid_server: RunningServer,
    counter: RunningAdapter,
    client: Client,
    clip: Path,
    tmp_path: Path,
) -> None:
    payer = await paid_stack.payer(client.rail)
    moved = [PRICE] if client is MPP_PUSH else []  # Who pushes has paid before the service hears of it.
    async with recording(counter.http) as recorder:
        async with nobody_at_work(paid_server):
            submitted = await order(
                recorder.address, client, payer, tmp_path / "pays", {"bg_color": "0,0,255"}, video=clip
            )
            job = uuid_of(submitted)
            assert [call.answer and call.answer.status for call in recorder.calls] == [402, 202]
            assert submitted.receipts == []
            (call,) = recorder.paid_calls()
            again = await recorder.send(call)
            assert (again.status, json.loads(again.body)["uuid"]) == (202, job)
            at_work = await fetch(counter, RESULT + job, waiting=())
            assert (at_work.status, json.loads(at_work.body)["status"]) == (202, "processing")
            assert [charge.amount for charge in await payer.charges()] == moved

        result = await fetch(counter, RESULT + job)
        assert (result.status, result.headers["Content-Type"]) == (200, "video/mp4")
        check_video(result.body, tmp_path)
        assert client.receipt in {name.lower() for name in result.headers}
        assert result.headers["Cache-Control"].startswith("private")
        assert [charge.amount for charge in await payer.charges()] == [PRICE]

        again = await recorder.send(call)
        assert (again.status, json.loads(again.body)["uuid"]) == (202, job)
        gone = await fetch(counter, RESULT + job, waiting=(200, 202))
        assert gone.status == 404  # It was fetched whole, which is noted a moment later.
    assert len(await payer.charges()) == 1
    await counter.audit()


@pytest.mark.case("J4")
@pytest.mark.parametrize("client", [X402_V2, MPP_PULL], ids=lambda client: client.name)
async def test_a_video_that_fails_costs_nothing(
    paid_stack: PaidStack, counter: RunningAdapter, client: Client, clip: Path, tmp_path: Path
) -> None:
    payer = await paid_stack.payer(client.rail)
    photo, background = make_paid_photo(), tmp_path / "background.png"
    background.write_bytes(photo[: len(photo) // 2])  # Its header is good.
    job = uuid_of(await order(counter.http, client, payer, tmp_path / "pays", {}, video=clip, background=background))
    result = await fetch(counter, RESULT + job)
    assert (result.status, json.loads(result.body)["status"]) == (500, "failed")
    await counter.audit()
    assert await payer.charges() == []

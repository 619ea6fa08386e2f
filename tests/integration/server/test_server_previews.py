"""Whoever watches a video may ask to see the frames that are done, while the others are still at work."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import pyvips
from clearcanvas.v1 import jobs_pb2, videos_pb2

from tests.support.clip_scenes import moving
from tests.support.clips import film
from tests.support.customer import LIMIT_S, Customer
from tests.support.fake_triton import FakeTriton, running_fake
from tests.support.processes import wait_until
from tests.support.server import running_server

FRAMES = 10


@pytest.fixture
def customer(tmp_path: Path) -> Iterator[Customer]:
    """Of a server whose model takes its time: two seconds and more for the whole clip."""
    with (
        running_fake(FakeTriton(delay_s=0.2)) as triton,
        running_server(triton, tmp_path, model="fake", fast_model="fake") as server,
    ):
        wait_until(server.serving, "the server serves")
        yield Customer(server)


def test_frames_that_are_done_are_shown_to_who_asks(customer: Customer, tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", moving(frames=FRAMES))
    order = jobs_pb2.VideoOrder(matting=videos_pb2.VIDEO_MATTING_FAST)
    job = customer.submit_video(clip.read_bytes(), order).id
    request = jobs_pb2.WatchJobRequest(id=job, owner=customer.owner, previews=True)
    responses = list(customer.server.jobs.WatchJob(request, timeout=LIMIT_S))
    assert responses[-1].job.state == jobs_pb2.JOB_STATE_SUCCEEDED
    shown = [preview for response in responses for preview in response.previews]
    assert shown, "at least one, before the end"
    times = [preview.time_s for preview in shown]
    assert times == sorted(set(times))
    assert set(times) <= {number / 25 for number in range(FRAMES)}
    for preview in shown:
        picture = pyvips.Image.new_from_buffer(preview.picture, "")
        assert (picture.width, picture.height, picture.hasalpha()) == (320, 180, True)
    again = customer.server.jobs.WatchJob(jobs_pb2.WatchJobRequest(id=job, owner=customer.owner), timeout=LIMIT_S)
    assert [list(response.previews) for response in again] == [[]]

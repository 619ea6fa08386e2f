"""Jobs of a real server whose results lie elsewhere: with a local S3 server that comes and goes, and a webhook."""

import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from clearcanvas.v1 import images_pb2, jobs_pb2

from tests.support.customer import Customer
from tests.support.fake_triton import FakeTriton, running_fake
from tests.support.processes import free_address, wait_until
from tests.support.s3 import RunningS3, require_s3, running_s3
from tests.support.server import RunningServer, failure, picture, running_server

EDIT = images_pb2.EditRequest(image=picture())
SUCCEEDED = jobs_pb2.JOB_STATE_SUCCEEDED


@dataclass(frozen=True)
class Site:
    """A server whose store is, or will be, at `address`."""

    server: RunningServer
    triton: FakeTriton
    address: str

    def files(self) -> list[str]:
        """What the server has in its own data folder, beside its database."""
        data = self.server.log.parent / "data"
        return [str(path.relative_to(data)) for path in data.rglob("*") if path.is_file() and "sqlite" not in path.name]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    require_s3()
    folder, address, fake = tmp_path_factory.mktemp("places"), free_address(), FakeTriton()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in RunningS3(address).environment.items():
            patch.setenv(name, value)
        settings: dict[str, Any] = {"model": "fake", "store": f"s3://{RunningS3.BUCKET}/results"}
        with running_fake(fake) as triton, running_server(triton, folder, **settings) as server:
            wait_until(server.serving, "the server serves")
            yield Site(server, fake, address)


@pytest.mark.case("J12")
@pytest.mark.case("V4")
def test_a_store_that_goes_down_at_work_gets_the_result_later(site: Site, tmp_path: Path) -> None:
    customer, triton = Customer(site.server), site.triton
    with running_s3(site.address, tmp_path / "before.log"):
        ended = customer.watch(customer.submit(EDIT).id)[-1]
        content = customer.download(ended.id).data
        assert fetch(ended.result.upload_link) == content
        triton.delay_s, asked = 60.0, triton.inferences
        job = customer.submit(EDIT)
        wait_until(lambda: triton.inferences > asked, "the model is asked")
        for worker in site.server.job_workers():
            environment = Path(f"/proc/{worker.pid}/environ").read_text()
            assert "AWS" not in environment
    triton.delay_s = 0.0
    triton.released.set()

    ended = customer.watch(job.id)[-1]
    assert (ended.state, ended.attempt, ended.result.upload_link) == (SUCCEEDED, 1, "")
    assert customer.download(job.id).data == content

    with running_s3(site.address, tmp_path / "after.log"):
        wait_until(lambda: customer.get(job.id).result.upload_link != "", "the upload is made up for")
        assert fetch(customer.get(job.id).result.upload_link) == customer.download(job.id).data == content
        assert site.files() == []
    assert "the-secret-key" not in site.server.log.read_text()


@pytest.mark.case("J8")
def test_a_job_whose_input_is_not_kept_is_not_accepted(site: Site) -> None:
    customer = Customer(site.server)

    with pytest.raises(grpc.RpcError) as caught:
        customer.submit(EDIT)

    assert (caught.value.code(), failure(caught.value).reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
    assert site.address not in failure(caught.value).message


@pytest.mark.case("S1")
def test_nobody_inside_is_told_of_a_jobs_end(site: Site, tmp_path: Path) -> None:
    customer = Customer(site.server)
    with pytest.raises(grpc.RpcError) as caught:
        customer.submit(EDIT, webhook_url="http://127.0.0.1/hook")
    assert failure(caught.value).metadata == {"field": "options.webhook_url"}

    with running_s3(site.address, tmp_path / "s3.log"):
        options = customer.options(webhook_url="http://localhost/hook?token=of-the-caller")
        accepted = site.server.jobs.SubmitImage(jobs_pb2.SubmitImageRequest(options=options, edit=EDIT), timeout=60)
        assert customer.watch(accepted.job.id)[-1].state == SUCCEEDED

        wait_until(lambda: "refused: address" in site.server.log.read_text(), "the delivery is refused")
    assert accepted.webhook_secret.startswith("whsec_")
    for secret in ("of-the-caller", accepted.webhook_secret):
        assert secret not in site.server.log.read_text()


def fetch(link: str) -> bytes:
    with urllib.request.urlopen(link, timeout=10) as answer:  # noqa: S310 - a link of our own server.
        return bytes(answer.read())

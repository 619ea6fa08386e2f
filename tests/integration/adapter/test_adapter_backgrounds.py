"""The second picture of a request: as a file within the limits of the first, or fetched from its URL once it may be."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapter.errors import DownloadError, NotAPictureError
from adapter.fetching.fetcher import Fetcher
from adapter.keys import keyring as keyrings
from adapter.keys.key import NewKey
from adapter.uploads.budget import Reservation
from tests.integration.adapter.fake_service import FakeImageService, RunningFake
from tests.integration.adapter.forms import MATTE, post
from tests.integration.adapter.process import BOUNDARY, FORM_TYPE, AdapterProcess, Answer, form, run_adapter
from tests.integration.adapter.shop import RunningShop, running_shop

PICTURE = "/image/picture/v1"
LIMIT = 25 * 1024 * 1024
URL = "https://example.com/beach.jpg"
_FILE = b'--%s\r\nContent-Disposition: form-data; name="background"; filename="b.png"\r\n\r\n%s\r\n'


def with_background(image: bytes, *backgrounds: bytes) -> bytes:
    return b"".join(_FILE % (BOUNDARY.encode(), background) for background in backgrounds) + form(image)


async def upload(adapter: AdapterProcess, body: bytes, path: str = PICTURE) -> Answer:
    async with adapter.connect() as connection:
        await connection.post(path, FORM_TYPE, f"Content-Length: {len(body)}", body=body)
        return await connection.read_answer()


async def test_a_background_file_reaches_the_service(adapter: AdapterProcess, fake: FakeImageService) -> None:
    assert (await upload(adapter, with_background(b"subject", b"beach"))).status == 200
    (request,) = fake.requests
    assert (request.image, request.composition.picture.image) == (b"subject", b"beach")


@pytest.mark.case("H1")
@pytest.mark.parametrize(
    ("image", "background", "status"),
    [(LIMIT, LIMIT, 200), (LIMIT + 1, 10, 413), (10, LIMIT + 1, 413)],
    ids=["both at the limit", "the image over it", "the background over it"],
)
async def test_each_picture_may_have_25_mib(
    adapter: AdapterProcess, fake: FakeImageService, image: int, background: int, status: int
) -> None:
    assert (await upload(adapter, with_background(bytes(image), bytes(background)))).status == status
    assert len(fake.requests) == (status == 200)


@pytest.mark.case("H1")
@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        (PICTURE, 2 * LIMIT + 64 * 1024, 100),
        (PICTURE, 2 * LIMIT + 64 * 1024 + 1, 413),
        (MATTE, LIMIT + 64 * 1024 + 1, 413),
    ],
)
async def test_only_where_two_pictures_are_taken_the_body_may_be_as_long(
    adapter: AdapterProcess, path: str, length: int, status: int
) -> None:
    async with adapter.connect() as connection:
        await connection.post(path, FORM_TYPE, f"Content-Length: {length}", "Expect: 100-continue")
        assert (await connection.read_answer()).status == status


async def test_two_backgrounds_are_none(adapter: AdapterProcess, fake: FakeImageService) -> None:
    answer = await upload(adapter, with_background(b"subject", b"beach", b"forest"))
    assert (answer.status, json.loads(answer.body)) == (400, {"message": "The form has more than one background."})
    assert fake.requests == []


async def test_a_background_where_none_is_taken_is_dropped(adapter: AdapterProcess, fake: FakeImageService) -> None:
    assert (await upload(adapter, with_background(b"subject", b"beach"), MATTE)).status == 200
    assert fake.requests[0].composition.WhichOneof("background") == "none"


@pytest.mark.case("H10")
async def test_both_pictures_count_in_the_budget(running_fake: RunningFake, fake: FakeImageService) -> None:
    half = bytes(600 * 1024)
    async with run_adapter(running_fake.address, upload_budget_mib="1") as adapter:
        assert (await upload(adapter, with_background(half, b"beach"))).status == 200
        assert (await upload(adapter, with_background(half, half))).status == 503
    assert len(fake.requests) == 1


class Web:
    """What is behind every URL, in place of the real web."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fetched: list[str] = []
        self.refusal: Exception | None = None
        web = self

        async def fetch(_: Fetcher, url: str, reservation: Reservation) -> bytes:
            web.fetched.append(url)
            if web.refusal is not None:
                raise web.refusal
            reservation.grow(5)
            return b"beach"

        monkeypatch.setattr(Fetcher, "fetch", fetch)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Web:
    return Web(monkeypatch)


@pytest.fixture
async def shop(
    running_fake: RunningFake, fake: FakeImageService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RunningShop]:
    monkeypatch.setattr(keyrings, "FRESH_S", 0.0)
    async with running_shop(running_fake.address, tmp_path, sells=False) as shop:
        yield shop


async def test_a_background_is_fetched_from_its_url(shop: RunningShop, fake: FakeImageService, web: Web) -> None:
    response, _ = await post(shop.http, PICTURE, {"bg_image_url": URL, "fit": "contain"})
    assert response.status == 200
    assert fake.requests[0].composition.picture.image == b"beach"
    assert web.fetched == [URL]


@pytest.mark.case("S1")
@pytest.mark.parametrize(
    ("refusal", "message"),
    [(DownloadError(), "The picture could not be downloaded."), (NotAPictureError(), "URL must point to an image")],
)
async def test_what_cannot_be_fetched_is_400(
    shop: RunningShop, fake: FakeImageService, web: Web, refusal: Exception, message: str
) -> None:
    web.refusal = refusal
    response, body = await post(shop.http, PICTURE, {"bg_image_url": URL})
    assert response.status == 400
    answer = json.loads(body)
    assert answer.keys() == {"message"}
    assert answer["message"].startswith(message)
    assert fake.requests == []


async def test_nothing_is_fetched_for_a_request_that_is_refused(shop: RunningShop, web: Web) -> None:
    secret = (await shop.keys.add(NewKey("someone"))).secret
    response, _ = await post(shop.http, PICTURE, {"bg_image_url": URL})
    assert response.status == 401
    response, _ = await post(shop.http, PICTURE, {"bg_image_url": URL, "fit": "wide"}, headers={"X-API-Key": secret})
    assert response.status == 422
    assert web.fetched == []

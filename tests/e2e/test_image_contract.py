"""Section B of the public contract, row by row, against the whole stack with the toy model and the toy painter."""

import io
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from PIL import Image

from tests.e2e.image_contract import ROWS, Row, ok, picture
from tests.support.processes import module
from tests.support.stack import RunningStack, running_stack
from tests.support.toy_generation import write_toy_generation
from tests.support.toy_model import write_toy_model

NEEDS_KEY = {"message": "An API key is needed, in X-API-Key or as Authorization: Bearer."}


@pytest.fixture(scope="module")
def stack(triton_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    repository = tmp_path_factory.mktemp("operations") / "repository"
    write_toy_model(repository)
    write_toy_generation(repository, "painter")
    environment = {"CLEARCANVAS_TRITON_ENV": str(triton_env), "CLEARCANVAS_GENERATION_MODEL": "painter"}
    with running_stack(repository, "toy", tmp_path_factory.mktemp("stack"), environment) as running:
        yield running


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60)) as session:
        yield session


async def post(
    http: aiohttp.ClientSession, stack: RunningStack, row: Row, **headers: str
) -> tuple[aiohttp.ClientResponse, bytes]:
    form = aiohttp.FormData(row.fields, default_to_multipart=True)
    form.add_field("image", picture(row.image), filename="image")
    if row.background:
        form.add_field("background", picture(row.background), filename="background")
    accept = {"Accept": row.accept} if row.accept else {}
    async with http.post(stack.url(f"/image/{row.operation}/v1"), data=form, headers=accept | headers) as response:
        return response, await response.read()


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_row(http: aiohttp.ClientSession, stack: RunningStack, row: Row) -> None:
    response, body = await post(http, stack, row)
    assert response.status == row.status, body[:300]
    if row.status == 200:
        check_picture(row, response, body)
        return
    assert response.headers["Content-Type"].startswith("application/json")
    answer = json.loads(body)
    assert answer == row.body if row.body is not None else answer.keys() == {"message"}


def check_picture(row: Row, response: aiohttp.ClientResponse, body: bytes) -> None:
    made = Image.open(io.BytesIO(body))
    assert (made.format, made.mode, made.size) == (row.form, row.bands, row.area)
    assert response.headers["Content-Type"] == f"image/{row.form.lower()}"
    assert response.headers["Cache-Control"] == "no-cache"
    assert (int(response.headers["X-Width"]), int(response.headers["X-Height"])) == made.size
    painted = row.operation == "generate"
    assert response.headers["X-Model"] == ("painter" if painted else "toy")
    assert response.headers.get("X-Model-Version") == (None if painted else "1")
    assert "total;dur=" in response.headers["Server-Timing"]
    if row.corner is not None:
        seen = np.atleast_1d(np.asarray(made)[0, 0]).astype(int)
        assert len(seen) == len(row.corner)
        assert all(wanted is None or abs(wanted - have) <= 1 for wanted, have in zip(row.corner, seen, strict=True))


async def test_the_cut_result_is_the_subject_and_its_margin(http: aiohttp.ClientSession, stack: RunningStack) -> None:
    async def boxes(**fields: str) -> tuple[list[int], list[int]]:
        response, _ = await post(http, stack, ok("matte", crop="true", **fields))
        names = ("X-Width", "X-Height"), [f"X-Foreground-{side}" for side in ("Left", "Top", "Width", "Height")]
        size, box = ([int(response.headers[name]) for name in some] for some in names)
        return size, box

    (width, height), box = await boxes()
    assert box == [0, 0, width, height]
    assert 168 <= width <= 176  # The disc is two thirds of 256.
    assert await boxes(crop_margin="10px") == ([width + 20, height + 20], [10, 10, width, height])
    assert await boxes(crop_margin="0 5px 10px 20px") == ([width + 25, height + 10], [20, 0, width, height])
    (wide, high), _ = await boxes(crop_margin="50% 100%")
    assert (abs(wide - 3 * width), abs(high - 2 * height)) <= (1, 1)


async def test_the_subject_stands_where_it_is_put(http: aiohttp.ClientSession, stack: RunningStack) -> None:
    row = ok("color", size="400x200", scale="50%", position="100% 0%")
    response, _ = await post(http, stack, row)
    left, top, width, height = (
        int(response.headers[f"X-Foreground-{side}"]) for side in ("Left", "Top", "Width", "Height")
    )
    assert abs(height - 100) <= 2
    assert (abs(left + width - 400) <= 2, top <= 2) == (True, True)


async def test_a_generated_background_says_what_made_it(http: aiohttp.ClientSession, stack: RunningStack) -> None:
    response, first = await post(http, stack, ok("generate", image="cutout", prompt="a beach"))
    facts = {name: response.headers[f"X-Background-{name}"] for name in ("Model", "Method")}
    assert facts == {"Model": "painter", "Method": "procedural"}
    seed = response.headers["X-Background-Seed"]
    assert 0 <= int(seed) < 2**53
    _, again = await post(http, stack, ok("generate", image="cutout", prompt="a beach", seed=seed))
    assert first == again
    response, _ = await post(http, stack, ok("blur"))
    assert not [name for name in response.headers if name.startswith("X-Background")]


async def test_the_query_of_the_raw_operation_is_not_that_of_a_form(
    http: aiohttp.ClientSession, stack: RunningStack
) -> None:
    async with http.post(stack.url("/image/matte/v1"), data=b"x", headers={"Content-Type": "image/png"}) as response:
        assert (response.status, set(await response.json())) == (415, {"message"})


async def test_a_painter_that_dies_costs_one_request(http: aiohttp.ClientSession, stack: RunningStack) -> None:
    response, body = await post(http, stack, ok("generate", image="cutout", prompt="crash"))
    assert (response.status, set(json.loads(body))) == (503, {"message"})
    assert "Retry-After" in response.headers


def add_key(stack: RunningStack, *options: str) -> str:
    data = stack.log.parent / "data"
    command = module("cli", "keys", "add", "someone", "--data", str(data), *options)
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


async def test_with_keys_the_operations_are_for_those_who_have_one(
    http: aiohttp.ClientSession, triton_env: Path, toy_repository: Path, tmp_path: Path
) -> None:
    """Last, and with a stack of its own: a key closes the operations for all others."""
    with running_stack(toy_repository, "toy", tmp_path, {"CLEARCANVAS_TRITON_ENV": str(triton_env)}) as stack:
        whole, matte_only = add_key(stack, "--monthly", "1"), add_key(stack, "--operation", "matte")
        hasty = add_key(stack, "--per-minute", "1")
        matte, blur = ok("matte"), ok("blur")
        for row, headers, status, body in [
            (matte, {}, 401, NEEDS_KEY),
            (matte, {"X-API-Key": "cc_no"}, 401, {"message": "There is no such API key, or it was revoked."}),
            (blur, {"X-API-Key": matte_only}, 403, {"message": "This API key is not for the operation blur."}),
            (matte, {"X-API-Key": matte_only}, 200, None),
            (matte, {"Authorization": f"Bearer {whole}"}, 200, None),
            (matte, {"X-API-Key": whole}, 403, {"message": "This API key has had all the results of its month."}),
            (matte, {"X-API-Key": hasty}, 200, None),
            (matte, {"X-API-Key": hasty}, 429, {"message": "More than 1 requests with this API key in a minute."}),
        ]:
            response, answer = await post(http, stack, row, **headers)
            assert response.status == status, answer[:200]
            assert body is None or json.loads(answer) == body

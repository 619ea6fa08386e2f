"""What a request to remove.bg's API becomes for the image service, whatever kind of body it comes in."""

import base64
import json
from typing import Any

import aiohttp
import pytest
from clearcanvas.v1 import composition_pb2, images_pb2
from clearcanvas.v1.composition_pb2 import Color, Composition, ContactShadow, DropShadow, NoBackground, Picture
from clearcanvas.v1.images_pb2 import Crop, EditRequest, Length, Margins, OutputOptions, Placement, Region

from tests.integration.adapter.fake_service import FakeImageService
from tests.integration.adapter.fetching.web import PICTURE
from tests.integration.adapter.removebg.calls import PATH

WHITE = Color(red=255, green=255, blue=255, alpha=255)
PNG, JPEG, WEBP = images_pb2.IMAGE_FORMAT_PNG, images_pb2.IMAGE_FORMAT_JPEG, images_pb2.IMAGE_FORMAT_WEBP
KIND = images_pb2.OUTPUT_KIND_PICTURE


async def multipart(http: aiohttp.ClientSession, files: dict[str, bytes], **fields: str) -> aiohttp.ClientResponse:
    data = aiohttp.FormData(fields, default_to_multipart=True)
    for name, content in files.items():
        data.add_field(name, content, filename="a.jpg", content_type="image/jpeg")
    return await http.post(PATH, data=data)


async def edit_of(http: aiohttp.ClientSession, fake: FakeImageService, **fields: str) -> EditRequest:
    """What the service is asked for a picture and these parameters."""
    response = await multipart(http, {"image_file": PICTURE}, **fields)
    assert response.status == 200, await response.text()
    assert await response.read() == PICTURE
    return fake.requests[-1]


async def test_without_parameters_it_is_a_preview_in_png(http: aiohttp.ClientSession, fake: FakeImageService) -> None:
    assert await edit_of(http, fake) == EditRequest(
        image=PICTURE,
        composition=Composition(none=NoBackground()),
        output=OutputOptions(format=PNG, kind=KIND, fit_pixels=250_000),
        max_pixels=50_000_000,
    )


async def json_body(http: aiohttp.ClientSession, fields: dict[str, Any]) -> aiohttp.ClientResponse:
    return await http.post(PATH, json=fields)


async def urlencoded_body(http: aiohttp.ClientSession, fields: dict[str, Any]) -> aiohttp.ClientResponse:
    text = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items() if value}
    return await http.post(PATH, data=text)


async def multipart_body(http: aiohttp.ClientSession, fields: dict[str, Any]) -> aiohttp.ClientResponse:
    text = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items() if value}
    return await multipart(http, {}, **text)


@pytest.mark.parametrize("send", [json_body, urlencoded_body, multipart_body])
@pytest.mark.parametrize("head", ["", "data:image/png;base64,"])
async def test_base_64_comes_in_each_kind_of_body(
    http: aiohttp.ClientSession, fake: FakeImageService, send: Any, head: str
) -> None:
    picture = PICTURE * 50  # Longer than a text field may be, and with all characters of base64.
    encoded = head + base64.b64encode(picture).decode()
    fields = {
        "image_file_b64": encoded,
        "crop": True,
        "shadow_opacity": 50,
        "bg_color": "",
        "roi": None,
        "unknown": "x",
    }
    response = await send(http, fields)
    assert response.status == 200, await response.text()
    assert fake.requests[-1].image == picture
    assert fake.requests[-1].output.HasField("crop")


@pytest.mark.parametrize(
    ("size", "encoding", "most"),
    [
        ("preview", "png", 250_000),
        ("small", "png", 250_000),
        ("regular", "png", 250_000),
        ("medium", "png", 1_500_000),
        ("hd", "png", 4_000_000),
        ("full", "png", 10_000_000),
        ("full", "webp", 25_000_000),
        ("4k", "jpg", 25_000_000),
        ("auto", "png", 10_000_000),
        ("auto", "jpg", 25_000_000),
        ("50MP", "webp", 50_000_000),
        ("50MP", "png", 10_000_000),
    ],
)
async def test_a_size_is_a_number_of_pixels(
    http: aiohttp.ClientSession, fake: FakeImageService, size: str, encoding: str, most: int
) -> None:
    assert (await edit_of(http, fake, size=size, format=encoding)).output.fit_pixels == most


@pytest.mark.parametrize(
    ("fields", "encoding", "background"),
    [
        ({}, PNG, Composition(none=NoBackground())),
        ({"format": "png"}, PNG, Composition(none=NoBackground())),
        ({"format": "webp"}, WEBP, Composition(none=NoBackground())),
        ({"format": "jpg"}, JPEG, Composition(color=WHITE)),
        ({"bg_color": "81d4fa"}, JPEG, Composition(color=Color(red=0x81, green=0xD4, blue=0xFA, alpha=255))),
        ({"bg_color": "fff"}, JPEG, Composition(color=WHITE)),
        (
            {"bg_color": "#81d4fa", "format": "png"},
            PNG,
            Composition(color=Color(red=129, green=212, blue=250, alpha=255)),
        ),
        ({"bg_color": "81d4fa77"}, PNG, Composition(color=Color(red=129, green=212, blue=250, alpha=0x77))),
        (
            {"bg_color": "00000080", "format": "jpg"},
            JPEG,
            Composition(color=Color(red=127, green=127, blue=127, alpha=255)),
        ),
        ({"bg_color": "green"}, JPEG, Composition(color=Color(red=0, green=128, blue=0, alpha=255))),
    ],
)
async def test_color_and_format(
    http: aiohttp.ClientSession,
    fake: FakeImageService,
    fields: dict[str, str],
    encoding: images_pb2.ImageFormat.ValueType,
    background: Composition,
) -> None:
    edit = await edit_of(http, fake, **fields)
    assert (edit.output.format, edit.composition) == (encoding, background)


async def test_a_background_picture_fills_the_result(http: aiohttp.ClientSession, fake: FakeImageService) -> None:
    response = await multipart(http, {"image_file": PICTURE, "bg_image_file": PICTURE[::-1]})
    assert response.status == 200
    edit = fake.requests[-1]
    assert edit.composition == Composition(picture=Picture(image=PICTURE[::-1], fill=WHITE))
    assert edit.composition.picture.fit in {composition_pb2.FIT_UNSPECIFIED, composition_pb2.FIT_COVER}
    assert edit.output.format == JPEG


async def test_the_alpha_is_a_mask_in_png(http: aiohttp.ClientSession, fake: FakeImageService) -> None:
    edit = await edit_of(http, fake, channels="alpha", bg_color="fff")
    assert (edit.output.kind, edit.output.format) == (images_pb2.OUTPUT_KIND_MASK, PNG)


@pytest.mark.parametrize(
    ("fields", "shadow"),
    [
        ({"add_shadow": "true"}, {"contact_shadow": ContactShadow()}),
        ({"add_shadow": "true", "shadow_type": "drop"}, {"drop_shadow": DropShadow()}),
        ({"shadow_type": "drop"}, {"drop_shadow": DropShadow()}),
        ({"shadow_type": "3D"}, {"contact_shadow": ContactShadow()}),
        ({"shadow_type": "car", "shadow_opacity": "40"}, {"contact_shadow": ContactShadow(color=Color(alpha=102))}),
        ({"add_shadow": "true", "shadow_type": "none"}, {}),
        ({"add_shadow": "false", "shadow_opacity": "40"}, {}),
    ],
)
async def test_shadows(
    http: aiohttp.ClientSession, fake: FakeImageService, fields: dict[str, str], shadow: dict[str, Any]
) -> None:
    assert (await edit_of(http, fake, **fields)).composition == Composition(none=NoBackground(), **shadow)


def percent(value: float) -> Length:
    return Length(percent=value)


def pixels(value: float) -> Length:
    return Length(pixels=value)


@pytest.mark.parametrize(
    ("roi", "region"),
    [
        ("0% 0% 100% 100%", Region(left=percent(0), top=percent(0), right=percent(100), bottom=percent(100))),
        ("10px 20px 300px 400px", Region(left=pixels(10), top=pixels(20), right=pixels(300), bottom=pixels(400))),
        ("10px 20.5% 90% 400px", Region(left=pixels(10), top=percent(20.5), right=percent(90), bottom=pixels(400))),
    ],
)
async def test_the_region_of_interest(
    http: aiohttp.ClientSession, fake: FakeImageService, roi: str, region: Region
) -> None:
    assert (await edit_of(http, fake, roi=roi)).region == region


@pytest.mark.parametrize(
    ("fields", "crop"),
    [
        ({}, None),
        ({"crop_margin": "10px"}, None),
        ({"crop": "false", "crop_margin": "10px"}, None),
        ({"crop": "true"}, Crop()),
        (
            {"crop": "true", "crop_margin": "0"},
            Crop(margin=Margins(**dict.fromkeys(("top", "right", "bottom", "left"), pixels(0)))),
        ),
        (
            {"crop": "true", "crop_margin": "10px 5%"},
            Crop(margin=Margins(top=pixels(10), right=percent(5), bottom=pixels(10), left=percent(5))),
        ),
        (
            {"crop": "true", "crop_margin": "500px 50% 0% 1px"},
            Crop(margin=Margins(top=pixels(500), right=percent(50), bottom=percent(0), left=pixels(1))),
        ),
    ],
)
async def test_the_crop(
    http: aiohttp.ClientSession, fake: FakeImageService, fields: dict[str, str], crop: Crop | None
) -> None:
    output = (await edit_of(http, fake, **fields)).output
    assert (output.crop if output.HasField("crop") else None) == crop


@pytest.mark.parametrize(
    ("fields", "placement"),
    [
        ({"scale": "original", "position": "original"}, None),
        ({"position": "original"}, None),
        ({"scale": "50%"}, Placement(scale=0.5)),
        ({"position": "center"}, Placement(x=0.5, y=0.5)),
        ({"scale": "100%", "position": "30% 70%"}, Placement(scale=1, x=0.3, y=0.7)),
        ({"position": "10%"}, Placement(x=0.1, y=0.1)),
    ],
)
async def test_scale_and_position(
    http: aiohttp.ClientSession, fake: FakeImageService, fields: dict[str, str], placement: Placement | None
) -> None:
    output = (await edit_of(http, fake, **fields)).output
    assert (output.placement if output.HasField("placement") else None) == placement

"""The forms of jobs: which composition each choice of fields is, and what of them is refused."""

from typing import Any

import pytest
from clearcanvas.v1 import composition_pb2, images_pb2, videos_pb2
from clearcanvas.v1.composition_pb2 import Blur, Color, Composition, Generated, Gradient, NoBackground, Picture

from adapter.errors import DownloadError, InvalidFieldsError, InvalidPictureError, NotAVideoError, VideoColorError
from adapter.jobs.orders import VideoJob, judge_video, read_image_job, read_video_job
from adapter.operations import OPERATIONS
from adapter.uploads.form import Form

RED, WHITE, BLACK = (
    Color(red=red, green=green, blue=blue, alpha=255) for red, green, blue in ((255, 0, 0), (255, 255, 255), (0, 0, 0))
)
NONE = Composition(none=NoBackground())
COLOR = Composition(color=RED)
GRADIENT = Gradient(kind=composition_pb2.GRADIENT_KIND_LINEAR, start=RED, end=BLACK, angle=180)
COVER = composition_pb2.FIT_COVER
URL = "https://example.com/beach.jpg"


def read(background: bytes = b"", /, **fields: str) -> VideoJob:
    return read_video_job(Form({"background": background} if background else {}, fields))


@pytest.mark.parametrize(
    ("fields", "composition"),
    [
        ({}, NONE),
        ({"operation": "matte", "bg_color": "255,0,0"}, NONE),
        ({"bg_color": "255,0,0"}, COLOR),
        ({"bg_color": " 255 , 0 ,0 "}, COLOR),
        ({"bgcolor": "red"}, COLOR),
        ({"color": "#f00"}, COLOR),
        ({"operation": "color"}, Composition(color=WHITE)),
        ({"bg_color": "255,0,0", "bg_image_url": URL}, COLOR),  # bg_color wins.
        ({"bg_color": "255,0,0", "bg_image_url": "no address"}, COLOR),
        ({"bg_color": "255,0,0", "top_color": "red", "prompt": "a beach"}, COLOR),
        ({"top_color": "red"}, Composition(gradient=GRADIENT)),
        ({"hexColor1": "ff0000"}, Composition(gradient=GRADIENT)),
        (
            {"radius": "30"},
            Composition(blur=Blur(radius=30, kind=composition_pb2.BLUR_KIND_GAUSSIAN)),
        ),
        (
            {"operation": "blur", "kind": "lens"},
            Composition(blur=Blur(radius=20, kind=composition_pb2.BLUR_KIND_LENS)),
        ),
        ({"prompt": "a beach", "seed": "7"}, Composition(generated=Generated(prompt="a beach", seed=7))),
        ({"bg_image_url": URL}, Composition(picture=Picture(fit=COVER, fill=WHITE))),
        (
            {"operation": "picture", "bg_image_url": URL, "bg_color": "255,0,0"},
            Composition(picture=Picture(fit=COVER, fill=RED)),
        ),
    ],
)
def test_the_background_of_a_video(fields: dict[str, str], composition: Composition) -> None:
    job = read(**fields)
    assert job.order.composition == composition
    assert job.background_url == (URL if composition.WhichOneof("background") == "picture" else "")


def test_a_file_is_the_background_unless_a_color_is_named() -> None:
    assert read(b"x").order.composition == Composition(picture=Picture(image=b"x", fit=COVER, fill=WHITE))
    assert read(b"x", bg_color="255,0,0").order.composition == COLOR
    with pytest.raises(InvalidFieldsError) as caught:
        read(b"x", bg_image_url=URL)
    assert caught.value.fields == {"bg_image_url": "cannot be sent together with background"}


@pytest.mark.parametrize("kind", ["drop", "contact"])
@pytest.mark.parametrize(
    "fields", [{}, {"bg_color": "1,2,3"}, {"top_color": "red"}, {"radius": "3"}, {"prompt": "x"}, {"bg_image_url": URL}]
)
def test_a_shadow_goes_with_every_background_and_with_none(fields: dict[str, str], kind: str) -> None:
    composition = read(**fields, shadow=kind, offset_x="5").order.composition
    assert composition.WhichOneof("shadow") == f"{kind}_shadow"
    assert getattr(composition, f"{kind}_shadow").offset_x == 5


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.name)
def test_every_operation_is_for_videos_too(row: Any) -> None:
    needed = {"generate": {"prompt": "x"}, "picture": {"bg_image_url": URL}}.get(row.name, {})
    expected = {"matte": "none", "shadow": "none", "generate": "generated"}.get(row.name, row.name)
    assert read(operation=row.name, **needed).order.composition.WhichOneof("background") == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, videos_pb2.VIDEO_FORMAT_UNSPECIFIED),
        ({"format": "WebM"}, videos_pb2.VIDEO_FORMAT_WEBM),
        ({"format": "webp"}, videos_pb2.VIDEO_FORMAT_WEBP),
        ({"format": "zip"}, videos_pb2.VIDEO_FORMAT_PNG_ZIP),
        ({"format": "mp4", "bg_color": "1,2,3"}, videos_pb2.VIDEO_FORMAT_MP4),
    ],
)
def test_the_form_of_a_video(fields: dict[str, str], expected: int) -> None:
    assert read(**fields).order.format == expected


def test_the_way_the_subject_is_found() -> None:
    order = read(matting="quality", model="isnet").order
    assert (order.matting, order.model) == (videos_pb2.VIDEO_MATTING_QUALITY, "isnet")
    assert read().order.matting == videos_pb2.VIDEO_MATTING_AUTO


@pytest.mark.parametrize("color", ["red", "#fff", "1,2", "1,2,3,4", "256,0,0", "-1,0,0", "1;2;3", "(1,2,3)", "1,2,٣"])
def test_bg_color_has_one_spelling_for_videos(color: str) -> None:
    with pytest.raises(VideoColorError):
        read(bg_color=color)


@pytest.mark.parametrize("url", ["ftp://a", "beach.jpg", "file:///etc/passwd", "https://" + "a" * 3000])
def test_what_is_no_address_cannot_be_downloaded(url: str) -> None:
    with pytest.raises(DownloadError):
        read(bg_image_url=url)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"operation": "vanish"}, {"operation"}),
        ({"operation": "generate"}, {"prompt"}),
        ({"operation": "picture"}, {"background"}),
        (
            {"format": "gif", "matting": "best", "webhook_url": "x", "model": "../a"},
            {"format", "matting", "webhook_url", "model"},
        ),
        ({"format": "mp4"}, {"format"}),
        ({"format": "mp4", "bgcolor": "1,2,3,4"}, {"format"}),
        ({"bgcolor": "reddish"}, {"bgcolor"}),
        ({"radius": "101", "shadow": "dark"}, {"radius", "shadow"}),
    ],
)
def test_all_mistakes_in_one_answer(fields: dict[str, str], wrong: set[str]) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        read(**fields)
    assert set(caught.value.fields) == wrong


@pytest.mark.parametrize(
    ("content_type", "head", "good"),
    [
        ("video/mp4", b"garbage", True),  # The service says what is wrong with it.
        ("video/mp4", b"", False),
        ("application/octet-stream", b"\x00\x00\x00\x18ftypmp42", True),
        ("", b"\x1a\x45\xdf\xa3", True),
        ("text/plain", b"RIFF\x00\x00\x00\x00AVI LIST", True),
        ("image/png", b"\x89PNG\r\n\x1a\n", False),
        ("audio/mpeg", b"ID3\x04", False),
        ("application/octet-stream", b"#EXTM3U\n#EXT-X-", False),
        ("application/sdp", b"v=0\r\no=- 0 0 IN", False),
        ("", b"<?xml version='1", False),
        ("", b"ffconcat version", False),
    ],
)
@pytest.mark.case("V1")
def test_what_is_no_video_by_word_and_by_content(content_type: str, head: bytes, *, good: bool) -> None:
    if good:
        judge_video(content_type, head)
    else:
        with pytest.raises(NotAVideoError):
            judge_video(content_type, head)


def test_a_large_picture_takes_the_fields_of_its_operation() -> None:
    files = {"image": b"x", "background": b"y"}
    job = read_image_job(Form(dict(files), {"operation": "picture", "fit": "contain", "format": "jpg"}), "image/webp")
    assert (job.operation.name, job.order.edit.max_pixels) == ("picture", 0)  # As large as the service takes.
    assert job.order.edit.composition.picture.image == b"y"
    assert job.order.edit.output.format == images_pb2.IMAGE_FORMAT_JPEG
    job = read_image_job(Form(dict(files), {"webhook_url": "https://example.com"}), "image/webp")
    assert (job.operation.name, job.webhook_url) == ("matte", "https://example.com")
    assert job.order.edit.composition == NONE
    assert job.order.edit.output.format == images_pb2.IMAGE_FORMAT_WEBP


def test_an_empty_file_is_no_picture_and_a_missing_one_a_missing_field() -> None:
    with pytest.raises(InvalidPictureError):
        read_image_job(Form({"image": b""}, {}), "")
    with pytest.raises(InvalidFieldsError):
        read_image_job(Form({}, {}), "")

"""Orders of jobs: read from the wire, kept as JSON without their pictures, and read again the same."""

import json
from typing import Any
from uuid import UUID

import pytest
from clearcanvas.v1 import composition_pb2, images_pb2, jobs_pb2, videos_pb2

from server.composition import Color, Generated, NoBackground, Picture
from server.edit import EditResult
from server.errors import InvalidParameterError
from server.image.box import Box
from server.video.task import VideoFacts, VideoFormat, VideoMatting, VideoResult
from server.wire.image_jobs import read_image_facts, read_image_spec, write_image_facts, write_image_spec
from server.wire.job_options import read_options, read_owner
from server.wire.messages import read_edit_request
from server.wire.video_jobs import (
    read_spec_facts,
    read_video_order,
    read_video_result,
    read_video_spec,
    write_video_result,
    write_video_spec,
)

LIMIT = 1000
NAME = "0f2d7c1e-8a44-4f0e-9a63-3f1f6a1f0b11"
PICTURE = composition_pb2.Composition(picture=composition_pb2.Picture(image=b"behind"))
SKY = composition_pb2.Composition(generated=composition_pb2.Generated(prompt="sky"))
FACTS = VideoFacts(width=320, height=180, duration_s=5.2, processed_s=4.0, frames=100, audio=True)


def kept(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec as a database gives it back."""
    loaded: dict[str, Any] = json.loads(json.dumps(spec))
    return loaded


def test_an_id_is_the_callers_or_a_new_one() -> None:
    assert read_options(jobs_pb2.JobOptions(id=NAME, owner="a")).id == NAME
    new = read_options(jobs_pb2.JobOptions(owner="a")).id
    assert str(UUID(new)) == new


@pytest.mark.case("J11")
@pytest.mark.parametrize("name", [NAME.upper(), NAME[:-1], NAME + "0", f"../{NAME}", f"{NAME}\n", "é" * 36, "1"])
def test_what_is_no_lower_case_uuid_is_no_id(name: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        read_options(jobs_pb2.JobOptions(id=name, owner="a"))
    assert caught.value.metadata["field"] == "options.id"


def test_an_owner_has_1_to_128_characters() -> None:
    assert read_owner("x" * 128) == read_options(jobs_pb2.JobOptions(owner="x" * 128)).owner
    for owner in ("", "x" * 129):
        with pytest.raises(InvalidParameterError):
            read_owner(owner)
        with pytest.raises(InvalidParameterError):
            read_options(jobs_pb2.JobOptions(owner=owner))


@pytest.mark.parametrize("composition", [None, PICTURE, SKY], ids=["nothing", "a picture", "a sky"])
def test_an_edit_is_kept_without_its_pictures_and_read_again_the_same(
    composition: composition_pb2.Composition | None,
) -> None:
    output = images_pb2.OutputOptions(format=images_pb2.IMAGE_FORMAT_WEBP, longest_side=77)
    edit = images_pb2.EditRequest(image=b"picture", composition=composition, output=output, model="m", max_pixels=9)
    _, call = read_edit_request(edit, LIMIT)
    spec = kept(write_image_spec(edit, call))
    assert "picture" not in spec["edit"].get("image", "")
    assert b"behind" not in json.dumps(spec).encode()
    assert "YmVoaW5k" not in json.dumps(spec), "nor as base64"
    assert read_image_spec(spec) == call
    assert read_image_spec(spec) == read_image_spec(spec), "the seed is kept as well"


def test_the_servers_limit_of_pixels_is_kept_with_the_edit() -> None:
    edit = images_pb2.EditRequest(image=b"x")
    _, call = read_edit_request(edit, LIMIT)
    assert read_image_spec(kept(write_image_spec(edit, call))).task.max_pixels == LIMIT


def test_what_a_newer_server_has_written_is_read_as_far_as_it_is_known() -> None:
    assert read_image_spec({"edit": {"maxPixels": "5", "sharpness": 3}, "more": 1}).task.max_pixels == 5


def test_facts_of_a_picture_are_kept() -> None:
    result = EditResult("image/png", 5, 3, 4, "m", "cpu/x/f32", Box(1, 2, 3, 4), (("encode", 0.5),))
    header = read_image_facts(kept(write_image_facts(result, 0.25)))
    assert (header.content_type, header.size, header.width, header.model) == ("image/png", 5, 3, "m")
    assert [stage.name for stage in header.stages] == ["queue", "encode"]


@pytest.mark.parametrize(
    ("composition", "form"),
    [
        (composition_pb2.Composition(), VideoFormat.WEBM),
        (composition_pb2.Composition(color=composition_pb2.Color(red=1)), VideoFormat.MP4),
        (composition_pb2.Composition(color=composition_pb2.Color(red=1, alpha=9)), VideoFormat.WEBM),
        (composition_pb2.Composition(blur=composition_pb2.Blur()), VideoFormat.MP4),
    ],
)
def test_a_video_becomes_mp4_where_its_background_is_opaque(
    composition: composition_pb2.Composition, form: VideoFormat
) -> None:
    assert read_video_order(jobs_pb2.VideoOrder(composition=composition)).format is form


def test_the_defaults_of_a_video() -> None:
    call = read_video_order(jobs_pb2.VideoOrder())
    assert (call.composition.background, call.matting, call.model) == (NoBackground(), VideoMatting.AUTO, "")


def test_every_format_and_matting_of_the_contract_is_understood() -> None:
    green = composition_pb2.Composition(color=composition_pb2.Color(green=9))
    for form in videos_pb2.VideoFormat.values():
        for matting in videos_pb2.VideoMatting.values():
            call = read_video_order(jobs_pb2.VideoOrder(composition=green, format=form, matting=matting))
            assert call.composition.background == Color(0, 9, 0)


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (jobs_pb2.VideoOrder(format=videos_pb2.VIDEO_FORMAT_MP4), "format"),
        (jobs_pb2.VideoOrder(format=99), "format"),  # type: ignore[arg-type] # on purpose
        (jobs_pb2.VideoOrder(matting=99), "matting"),  # type: ignore[arg-type] # on purpose
        (jobs_pb2.VideoOrder(model="../x"), "model"),
    ],
)
def test_what_cannot_be_made_of_a_video_is_named(order: jobs_pb2.VideoOrder, field: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        read_video_order(order)
    assert caught.value.metadata["field"] == field


@pytest.mark.parametrize("composition", [None, PICTURE, SKY], ids=["nothing", "a picture", "a sky"])
def test_an_order_is_kept_with_the_facts_of_its_video(composition: composition_pb2.Composition | None) -> None:
    options = jobs_pb2.JobOptions(owner="secret-owner")
    order = jobs_pb2.VideoOrder(options=options, composition=composition, model="m")
    call = read_video_order(order)
    spec = kept(write_video_spec(order, call, FACTS))
    assert "secret-owner" not in json.dumps(spec)
    assert "YmVoaW5k" not in json.dumps(spec)
    assert read_video_spec(spec) == call
    facts = read_spec_facts(spec)
    assert (facts.width, facts.height, facts.duration_s, facts.processed_s, facts.audio) == (320, 180, 5.2, 4.0, True)
    if composition is not None:
        assert isinstance(call.composition.background, Picture | Generated)


@pytest.mark.parametrize("agreement", [None, 0.0, 0.93])
def test_facts_of_a_finished_video_are_kept(agreement: float | None) -> None:
    result = VideoResult("video/mp4", 9, 100, 4.0, VideoMatting.FAST, ("a", "b"), "cpu/x/f32", agreement)
    message = read_video_result(kept(write_video_result(result)))
    assert (message.frames, message.matting, list(message.models)) == (100, videos_pb2.VIDEO_MATTING_FAST, ["a", "b"])
    assert (message.agreement if message.HasField("agreement") else None) == agreement

"""What the flags of `clearcanvas video` ask of the service, and what is refused before anything is sent."""

import inspect
from pathlib import Path
from typing import Any

import pytest
import typer
from clearcanvas.v1 import composition_pb2 as wire
from clearcanvas.v1 import videos_pb2
from clearcanvas.v1.composition_pb2 import Blur, Color, Composition, DropShadow, Generated
from clearcanvas.v1.jobs_pb2 import VideoOrder
from typer.testing import CliRunner

from cli.__main__ import app
from cli.compositions import read_order
from cli.video import video

RED = Color(red=255, green=0, blue=0, alpha=255)
DEFAULTS = {name: parameter.default for name, parameter in inspect.signature(video).parameters.items()}
AUTO = videos_pb2.VIDEO_MATTING_AUTO
MP4, WEBM = videos_pb2.VIDEO_FORMAT_MP4, videos_pb2.VIDEO_FORMAT_WEBM


def order(**given: Any) -> VideoOrder:
    return read_order(DEFAULTS | given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, VideoOrder(composition=Composition(), format=WEBM, matting=AUTO)),
        ({"color": "red"}, VideoOrder(composition=Composition(color=RED), format=MP4, matting=AUTO)),
        (
            {"color": "red", "encoding": "zip", "matting": "fast", "model": "m"},
            VideoOrder(
                composition=Composition(color=RED),
                format=videos_pb2.VIDEO_FORMAT_PNG_ZIP,
                matting=videos_pb2.VIDEO_MATTING_FAST,
                model="m",
            ),
        ),
        (
            {"blur": "9", "matting": "quality"},
            VideoOrder(
                composition=Composition(blur=Blur(radius=9, kind=wire.BLUR_KIND_GAUSSIAN)),
                format=MP4,
                matting=videos_pb2.VIDEO_MATTING_QUALITY,
            ),
        ),
        (
            {"prompt": "a beach", "seed": "7", "encoding": "webp"},
            VideoOrder(
                composition=Composition(generated=Generated(prompt="a beach", seed=7)),
                format=videos_pb2.VIDEO_FORMAT_WEBP,
                matting=AUTO,
            ),
        ),
        (
            {"shadow": "drop"},
            VideoOrder(
                composition=Composition(drop_shadow=DropShadow(color=Color(alpha=150))), format=WEBM, matting=AUTO
            ),
        ),
        (
            {"color": "255,0,0,128"},
            VideoOrder(
                composition=Composition(color=Color(red=255, green=0, blue=0, alpha=128)), format=WEBM, matting=AUTO
            ),
        ),
    ],
)
def test_an_order_names_all_that_was_chosen(given: dict[str, Any], expected: VideoOrder) -> None:
    found = order(**given)
    for shadow in (found.composition.drop_shadow, expected.composition.drop_shadow):
        shadow.color.red = shadow.color.green = shadow.color.blue = 0
    assert found == expected


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"encoding": "mp4"}, "--format mp4 has no transparency"),
        ({"encoding": "mp4", "shadow": "contact"}, "--format mp4 has no transparency"),
        ({"encoding": "gif"}, "--format must be mp4, webm, webp or zip"),
        ({"matting": "best"}, "--matting must be auto, fast or quality"),
        ({"color": "red", "prompt": "sea"}, "--color and --prompt are backgrounds: choose one"),
        ({"lens": True}, "--lens goes with --blur"),
        ({"color": "reddish", "matting": "best"}, r"--color must be r,g,b .*; --matting must be"),
    ],
)
def test_what_cannot_be_understood_of_an_order(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"^{sentence}"):
        order(**given)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["clips", "-o", "out", "--contact-sheet", "s.png"], "--contact-sheet shows one video"),
        (["clips/a.mp4", "-o", "a.webm", "--contact-sheet", "sheet"], "should end as a picture does"),
        (["clips/a.mp4", "-o", "a.mp4"], "--format mp4 has no transparency"),
        (["clips/a.mp4", "-o", "a.mp4", "--format", "zip"], "a.mp4 does not end as --format zip does"),
        (["clips/b.mp4", "-o", "out"], "clips/b.mp4 does not exist"),
        (["clips/a.mp4", "-o", "clips/a.mp4", "--color", "red"], "clips/a.mp4 is an input and would be overwritten"),
    ],
)
def test_what_is_refused_before_a_server_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").write_bytes(b"video")
    result = CliRunner().invoke(app, ["video", *arguments])
    assert result.exit_code == 2, result.output
    assert sentence in result.output

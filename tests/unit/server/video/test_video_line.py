"""A video goes in, its subject comes out over something else: frames, times, sound and colours as they were."""

import io
import json
import threading
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from server.composition import (
    Blur,
    Color,
    Composition,
    ContactShadow,
    DropShadow,
    Generated,
    Gradient,
    NoBackground,
    Picture,
)
from server.errors import InvalidParameterError, InvalidVideoError, ModelUnavailableError, ProcessingFailedError
from server.matting import Matte
from server.video.task import VideoFormat, VideoLimits, VideoMatting
from tests.support.clip_pixels import Colour
from tests.support.clip_scenes import Scene, crossing, flat, moving, pan
from tests.support.clips import Sound, beeps_of, film
from tests.support.pictures import FixedModel, encoded
from tests.support.videos import ALL, NONE, rendered

GREEN = Composition(Color(0, 160, 60))
BACKGROUND = [0, 160, 60]
SMALL = 96, 160
VARIABLE = [0, 40, 50, 200, 210, 300, 310, 400, 500, 600]


def corner(picture: np.ndarray) -> np.ndarray:
    """Where no subject is."""
    return picture[:12, :12].reshape(-1, picture.shape[2]).astype(int)


def near(pixels: np.ndarray, colour: list[int], tolerance: int = 3) -> bool:
    return bool((np.abs(pixels[..., : len(colour)].astype(int) - colour) <= tolerance).all())


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("clip") / "in.mp4", crossing(10, SMALL), sound=Sound.AAC, times=VARIABLE)


@pytest.mark.parametrize("kind", [VideoFormat.MP4, VideoFormat.WEBM])
def test_every_frame_keeps_its_time_and_the_background_its_colour(clip: Path, kind: VideoFormat) -> None:
    made = rendered(clip, GREEN, kind)
    frames = made.frames()
    assert [round(time_s * 1000) for time_s, _ in frames] == pytest.approx(VARIABLE, abs=1)
    assert all(near(corner(picture), BACKGROUND) for _, picture in frames)
    assert (made.result.frames, made.result.content_type) == (10, kind.content_type)
    assert made.result.size == made.path.stat().st_size
    assert made.result.matting is VideoMatting.FAST
    assert made.result.models == ("fixed",)
    assert made.progress[-1] == (10, 10)
    assert made.progress == sorted(made.progress)


def test_an_mp4_plays_before_it_is_loaded_and_says_what_its_colours_mean(clip: Path) -> None:
    made = rendered(clip, GREEN)
    data = made.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(made.path) as container:
        frame = next(container.decode(video=0))
    assert (frame.format.name, frame.colorspace, frame.color_range) == ("yuv420p", 1, 1)
    assert (frame.color_primaries, frame.color_trc) == (1, 1)


def test_a_transparent_webm_has_the_matte_as_its_alpha(clip: Path) -> None:
    frames = rendered(clip, None, VideoFormat.WEBM).frames()
    assert len(frames) == 10
    for _, picture in frames:
        alpha = picture[..., 3].astype(int)
        assert alpha[:12, :12].max() <= 3
        assert alpha[40:56, 72:88].min() >= 252
    inside, _ = frames[0][1][44:52, 76:84, :3].astype(int), None
    assert np.abs(inside - crossing(1, SMALL).frames[0][44:52, 76:84].astype(int)).mean() < 8


def test_a_png_zip_has_a_picture_and_a_time_for_each_frame(clip: Path) -> None:
    made = rendered(clip, None, VideoFormat.PNG_ZIP)
    with zipfile.ZipFile(made.path) as archive:
        index = json.loads(archive.read("frames.json"))
        pictures = [np.asarray(Image.open(io.BytesIO(archive.read(frame["file"])))) for frame in index["frames"]]
    assert [round(frame["time_s"] * 1000) for frame in index["frames"]] == VARIABLE
    assert sum(frame["duration_s"] for frame in index["frames"]) == pytest.approx(made.result.duration_s)
    assert {picture.shape for picture in pictures} == {(*SMALL, 4)}
    assert all(near(corner(picture), [0, 0, 0, 0], 0) for picture in pictures)
    assert pictures[0][48, 80, 3] == 255


@pytest.mark.parametrize(("composition", "colour"), [(None, [0, 0, 0, 0]), (GREEN, [*BACKGROUND, 255])])
def test_an_animated_webp_has_every_frame_for_its_time(
    clip: Path, composition: Composition | None, colour: list[int]
) -> None:
    made = rendered(clip, composition, VideoFormat.WEBP)
    durations = []
    with Image.open(made.path) as picture:
        assert getattr(picture, "n_frames", 1) == 10
        for number in range(10):
            picture.seek(number)
            assert near(corner(np.asarray(picture.convert("RGBA"))), colour)
            durations.append(picture.info["duration"])
    assert durations[:-1] == list(np.diff(VARIABLE))


@pytest.mark.parametrize(
    ("extension", "sound", "kind", "codec"),
    [
        ("mp4", Sound.AAC, VideoFormat.MP4, "aac"),
        ("mov", Sound.PCM, VideoFormat.MP4, "aac"),
        ("webm", Sound.OPUS, VideoFormat.MP4, "aac"),
        ("webm", Sound.OPUS, VideoFormat.WEBM, "opus"),
        ("mkv", Sound.OPUS, VideoFormat.WEBM, "opus"),
        ("mp4", Sound.AAC, VideoFormat.WEBM, "opus"),
    ],
)
def test_the_sound_is_kept_in_time(tmp_path: Path, extension: str, sound: Sound, kind: VideoFormat, codec: str) -> None:
    source = film(tmp_path / f"in.{extension}", flat(20, SMALL), sound=sound, beeps=(0.2, 0.6))
    made = rendered(source, GREEN, kind)
    with av.open(made.path) as container:
        assert container.streams.audio[0].codec_context.codec.canonical_name == codec
    assert beeps_of(made.path) == pytest.approx([0.2, 0.6], abs=0.02)
    assert made.frames()[0][0] == pytest.approx(0, abs=0.01)


def test_sound_that_the_container_takes_is_copied(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4", flat(20, SMALL), sound=Sound.AAC)

    def packets(path: Path) -> list[bytes]:
        with av.open(path) as container:
            return [bytes(packet) for packet in container.demux(audio=0) if packet.size]

    assert packets(rendered(source, GREEN).path) == packets(source)


@pytest.mark.parametrize("kind", [VideoFormat.MP4, VideoFormat.WEBM])
def test_a_picture_that_begins_after_its_sound_still_does(tmp_path: Path, kind: VideoFormat) -> None:
    source = film(tmp_path / "in.mp4", flat(15, SMALL), sound=Sound.AAC, beeps=(0.4,), late_s=0.24)
    made = rendered(source, GREEN, kind)
    assert beeps_of(made.path) == pytest.approx([0.4], abs=0.02)
    assert made.frames()[0][0] == pytest.approx(0.24, abs=0.01)


@pytest.mark.parametrize("kind", [VideoFormat.MP4, VideoFormat.WEBM])
def test_what_is_over_the_limit_is_cut_off_with_its_sound(tmp_path: Path, kind: VideoFormat) -> None:
    source = film(tmp_path / "in.mp4", moving(frames=52, size=SMALL), rate=10, sound=Sound.AAC, beeps=(0.5, 3.5, 4.5))
    made = rendered(source, GREEN, kind)
    assert (made.result.frames, made.result.duration_s) == (40, 4.0)
    assert made.frames()[-1][0] == pytest.approx(3.9, abs=0.01)
    assert beeps_of(made.path) == pytest.approx([0.5, 3.5], abs=0.02)
    with av.open(made.path) as container:
        assert (container.duration or 0) / 1e6 == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_video_comes_out_upright(tmp_path: Path, degrees: int) -> None:
    scene = pan("chelsea", 3, SMALL)
    made = rendered(film(tmp_path / "in.mp4", scene, rotation=degrees), GREEN, alpha=ALL)
    _, picture = made.frames()[0]
    upright = np.rot90(scene.frames[0], -degrees // 90).astype(int)
    assert picture.shape[:2] == upright.shape[:2]
    assert np.abs(picture[..., :3] - upright).mean() < 8


@pytest.mark.parametrize(
    ("colour", "pixels", "codec", "tagged"),
    [
        (Colour.BT601, "yuv420p", None, True),
        (Colour.BT601, "yuv420p", None, False),  # A small one that says nothing is taken for BT.601, as players do.
        (Colour.BT709, "yuv420p", None, True),
        (Colour.BT709, "yuv444p", None, True),
        (Colour.BT709_FULL, "yuv420p", None, True),
        (Colour.BT2020, "yuv420p10le", "libx264", True),
        (Colour.BT709, "yuv420p10le", "libx264", True),
    ],
)
def test_colours_stay_whatever_they_were_encoded_by(
    tmp_path: Path, colour: Colour, pixels: str, codec: str | None, *, tagged: bool
) -> None:
    picture = np.zeros((*SMALL, 3), np.uint8)
    colours = [(200, 80, 40), (40, 80, 200), (80, 200, 40), (128, 128, 128), (235, 220, 30)]
    for number, each in enumerate(colours):
        picture[:, 32 * number : 32 * number + 32] = each
    source = film(tmp_path / "in.mp4", Scene([picture] * 2), colour=colour, pixels=pixels, codec=codec, tagged=tagged)
    _, seen = rendered(source, GREEN, alpha=ALL).frames()[0]
    for number, each in enumerate(colours):
        assert near(seen[8:-8, 32 * number + 10 : 32 * number + 22], list(each), 4), (each, seen[48, 32 * number + 16])


def test_odd_sides_lose_their_last_pixel(tmp_path: Path) -> None:
    scene = flat(2, (97, 161))
    made = rendered(film(tmp_path / "in.webm", scene), GREEN)
    assert made.frames()[0][1].shape == (96, 160, 4)


@pytest.mark.parametrize(
    ("composition", "colour"),
    [
        (Composition(Gradient(start=Color(10, 20, 30), end=Color(10, 20, 30))), [10, 20, 30]),
        (Composition(Generated("a wall", 1)), [99, 99, 99]),
        (Composition(Picture()), [250, 200, 150]),
        (Composition(Blur()), [200, 80, 40]),
        (Composition(Color(1, 2, 3), DropShadow()), [1, 2, 3]),
        (Composition(Color(1, 2, 3), ContactShadow()), [1, 2, 3]),
    ],
)
def test_any_background_of_a_picture_goes_behind_a_video(
    tmp_path: Path, composition: Composition, colour: list[int]
) -> None:
    behind = tmp_path / "behind"
    behind.write_bytes(encoded(Image.new("RGB", (50, 40), (250, 200, 150)), "PNG"))
    picture = behind if isinstance(composition.background, Picture) else None
    made = rendered(film(tmp_path / "in.mp4", flat(2, SMALL)), composition, background=picture)
    assert near(corner(made.frames()[0][1]), colour)


def test_a_shadow_falls_on_what_is_behind_and_makes_a_transparent_result_darker(tmp_path: Path) -> None:
    source, shadow = film(tmp_path / "in.mp4", flat(2, SMALL)), DropShadow(30, 0, 4)
    _, opaque = rendered(source, Composition(Color(255, 255, 255), shadow)).frames()[0]
    assert opaque[48, 118:128, :3].max() < 180
    _, seen = rendered(source, Composition(NoBackground(), shadow), VideoFormat.WEBM).frames()[0]
    assert near(seen[48, 118:128, 3:], [150], 6)
    assert seen[48, 118:128, :3].max() < 12


def test_half_transparent_backgrounds_stay_half_transparent(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4", flat(2, SMALL))
    _, seen = rendered(source, Composition(Color(200, 100, 50, 128)), VideoFormat.WEBM).frames()[0]
    assert near(corner(seen), [200, 100, 50, 128])


def test_nothing_of_the_background_is_left_where_nothing_is_subject(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4", pan("coffee", 2, SMALL))
    _, seen = rendered(source, None, VideoFormat.WEBM, alpha=NONE).frames()[0]
    assert seen[..., 3].max() <= 3
    assert seen[..., :3].max() <= 8


def test_mp4_is_refused_for_a_transparent_result(clip: Path) -> None:
    with pytest.raises(InvalidParameterError, match="MP4 has no transparency"):
        rendered(clip, None, VideoFormat.MP4)


def test_too_many_frames_are_refused(clip: Path) -> None:
    with pytest.raises(InvalidVideoError, match="at most 9"):
        rendered(clip, GREEN, limits=VideoLimits(frames=9))


@pytest.mark.parametrize("kind", VideoFormat)
def test_a_full_disk_is_no_fault_of_the_video(tmp_path: Path, kind: VideoFormat) -> None:
    source = film(tmp_path / "in.mp4", flat(3, SMALL))
    (tmp_path / f"in-result.{kind.extension}").symlink_to("/dev/full")
    with pytest.raises(ProcessingFailedError, match="could not be written"):
        rendered(source, GREEN, kind)


def test_what_the_model_raises_ends_the_video_and_leaves_no_thread(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_model: FixedModel, _image: np.ndarray) -> Matte:
        raise ModelUnavailableError("The model is away.")

    threads = threading.active_count()
    monkeypatch.setattr(FixedModel, "infer", fails)
    with pytest.raises(ModelUnavailableError):
        rendered(clip, GREEN)
    assert threading.active_count() == threads

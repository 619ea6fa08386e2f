"""What is said of a video before it is taken, and what is not taken."""

import contextlib
import random
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from server.composition import Color, Composition
from server.errors import InvalidVideoError
from server.video.probe import probe_video
from server.video.task import VideoFacts, VideoLimits
from tests.support.boxes import box, patched, pointed_elsewhere, run, tracks
from tests.support.clip_scenes import flat, moving
from tests.support.clips import Sound, film
from tests.support.videos import rendered
from tests.support.watched import watched

LIMITS = VideoLimits()
SMALL = 48, 64
GREEN = Composition(Color(0, 160, 60))


@pytest.mark.parametrize(
    ("extension", "sound"), [("mp4", Sound.AAC), ("mov", Sound.PCM), ("webm", Sound.OPUS), ("mkv", None)]
)
def test_a_video_says_how_large_and_how_long_it_is(tmp_path: Path, extension: str, sound: Sound | None) -> None:
    source = film(tmp_path / f"in.{extension}", flat(10, SMALL), sound=sound)
    # What it is called says nothing.
    source = source.rename(tmp_path / "holiday.jpeg")
    facts = probe_video(source, LIMITS)
    assert facts == VideoFacts(64, 48, facts.duration_s, facts.duration_s, 10, sound is not None)
    assert facts.duration_s == pytest.approx(0.4, abs=0.001)


def test_a_long_one_is_processed_up_to_the_limit(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4", moving(frames=52, size=SMALL), rate=10, sound=Sound.AAC)
    assert probe_video(source, LIMITS) == VideoFacts(64, 48, 5.2, 4.0, 40, audio=True)
    assert probe_video(source, replace(LIMITS, duration_s=1.05)).frames == 11


def test_a_recording_that_does_not_say_how_long_it_is_is_counted(tmp_path: Path) -> None:
    """As browsers record: written on the way, with no length in its head."""
    source = film(tmp_path / "in.webm", moving(frames=12, size=SMALL), rate=10, sound=Sound.OPUS)
    stream = tmp_path / "stream.webm"
    with av.open(source) as whole, av.open(stream, "w", options={"live": "1"}) as written:
        pairs = {each: written.add_stream_from_template(each) for each in (whole.streams[0], whole.streams[1])}
        for packet in whole.demux():
            if packet.size:
                packet.stream = pairs[packet.stream]
                written.mux(packet)
    with av.open(stream) as container:
        assert container.duration is None or container.duration < 0
    facts = probe_video(stream, LIMITS)
    assert (facts.frames, facts.audio) == (12, True)
    assert facts.duration_s == pytest.approx(1.2, abs=0.1)


def test_a_turned_one_is_told_upright_and_an_odd_one_even(tmp_path: Path) -> None:
    facts = probe_video(film(tmp_path / "in.mp4", flat(2, SMALL), rotation=90), LIMITS)
    assert (facts.width, facts.height) == (48, 64)
    facts = probe_video(film(tmp_path / "in.webm", flat(2, (49, 65))), LIMITS)
    assert (facts.width, facts.height) == (64, 48)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (VideoLimits(size=1000), "bytes; at most 1000"),
        (VideoLimits(side=63), "64 × 48 pixels; a side may have at most 63"),
        (VideoLimits(pixels=3071), "3072 pixels in a frame; at most 3071"),
        (VideoLimits(frame_rate=24), "25 frames a second; at most 24"),
        (VideoLimits(frames=9), "have 10 frames; at most 9"),
        (VideoLimits(streams=1), "streams"),
    ],
)
def test_what_is_over_a_limit_is_refused_with_its_reason(tmp_path: Path, limits: VideoLimits, said: str) -> None:
    source = film(tmp_path / "in.mp4", flat(10, SMALL), sound=Sound.AAC)
    with pytest.raises(InvalidVideoError, match=said):
        probe_video(source, limits)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a video that is read"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a video that is read"),
        (b"RIFF\0\0\0\0AVI LIST" + bytes(100), "not a video that is read"),
        (box(b"ftyp", b"isom", bytes(4)) + b"#EXTM3U\nfile:///etc/passwd\n", "damaged"),
        (box(b"ftyp", b"isom", bytes(4)) + box(b"moov", box(b"cmov", bytes(8))), "compressed"),
        (b"\x1a\x45\xdf\xa3" + bytes(100), "damaged"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    source = tmp_path / "in.mp4"
    source.write_bytes(content)
    with pytest.raises(InvalidVideoError, match=said):
        probe_video(source, LIMITS)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    with av.open(source, "w") as container:
        stream = container.add_stream("aac", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, 0
        container.mux([*stream.encode(frame), *stream.encode(None)])
    with pytest.raises(InvalidVideoError, match="no video in it"):
        probe_video(source, LIMITS)


@pytest.fixture
def canary() -> Iterator[tuple[str, list[bytes]]]:
    """A listener, and what was sent to it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            try:
                while True:
                    connection, _ = listener.accept()
                    heard.append(b"connected")
                    connection.close()
            except OSError:
                return

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/seg.ts", heard
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


REFERRING = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{file}\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{file}'\nfile '{url}'\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet '
    'mimeType="video/mp4"><Representation id="1"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period>'
    "</MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=control:{url}\n",
    "subfile": "subfile,,start,0,end,100,,:{file}\n",
}


@pytest.mark.case("V1")
@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "behind a box"])
@pytest.mark.parametrize("kind", REFERRING)
def test_what_refers_to_files_and_addresses_reaches_neither(
    tmp_path: Path, canary: tuple[str, list[bytes]], kind: str, *, wrapped: bool
) -> None:
    url, heard = canary
    secret = film(tmp_path / "secret.mp4", flat(2, SMALL))
    text = REFERRING[kind].format(file=secret, url=url).encode()
    source = tmp_path / "in.mp4"
    source.write_bytes(box(b"ftyp", b"isom", bytes(4), b"isom") + text if wrapped else text)
    with watched(secret) as seen:
        for attempt in (lambda: probe_video(source, LIMITS), lambda: rendered(source, GREEN)):
            with pytest.raises(InvalidVideoError):
                attempt()
        assert not seen.touched()
        assert secret.read_bytes()
        assert seen.touched()  # It would have been seen.
    assert not heard


@pytest.mark.case("V1")
def test_a_movie_whose_pictures_lie_in_another_file_has_none(tmp_path: Path) -> None:
    secret = film(tmp_path / "secret.mp4", flat(2, SMALL))
    source = pointed_elsewhere(film(tmp_path / "in.mov", flat(2, SMALL)), secret)
    with watched(secret) as seen, contextlib.suppress(InvalidVideoError):
        rendered(source, GREEN)
        assert not seen.touched()


@pytest.mark.case("V2")
@pytest.mark.parametrize("claimed", [2**20 + 1, 10**9, 2**32 - 1])
def test_a_table_of_countless_frames_is_refused_before_it_is_read(tmp_path: Path, claimed: int) -> None:
    source = patched(film(tmp_path / "in.mp4", flat(2, SMALL)), b"stsz", 4, struct.pack(">II", 1, claimed))
    with pytest.raises(InvalidVideoError, match=f"claims {claimed} frames"):
        probe_video(source, LIMITS)
    source.write_bytes(box(b"ftyp", b"isom", bytes(4)) + run(claimed))
    with pytest.raises(InvalidVideoError, match=f"claims {claimed} frames"):
        probe_video(source, LIMITS)


@pytest.mark.case("V2")
def test_countless_tracks_are_refused_before_they_are_read(tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    source.write_bytes(tracks(10_000))
    with pytest.raises(InvalidVideoError, match="more than 16 streams"):
        probe_video(source, LIMITS)


@pytest.mark.case("V2")
def test_a_thousand_frames_a_second_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidVideoError, match="1000 frames a second; at most 120"):
        probe_video(film(tmp_path / "in.mp4", flat(20, SMALL), rate=1000), LIMITS)


@pytest.mark.case("V2")
def test_a_side_of_sixteen_thousand_pixels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidVideoError, match="16384 × 16 pixels"):
        probe_video(film(tmp_path / "in.mp4", flat(1, (16, 16384))), LIMITS)


@pytest.mark.case("V2")
def test_a_picture_larger_than_its_header_says_is_not_decoded(tmp_path: Path) -> None:
    """Sixteen times the pixels in the stream of those in the container's header."""
    source = film(tmp_path / "in.webm", flat(1, (512, 512)))
    data = bytearray(source.read_bytes())
    place = data.index(b"\xb0\x82\x02\x00")  # PixelWidth
    data[place : place + 4] = b"\xb0\x82\x00\x80"
    source.write_bytes(data)
    with pytest.raises(InvalidVideoError):
        probe_video(source, replace(LIMITS, pixels=100 * 512))


@pytest.mark.case("V3")
@pytest.mark.parametrize("name", ["-i", "concat:a|b", "http:x", "pipe:0", "%03d", "a;touch b", "file:x"])
def test_a_file_may_be_called_what_it_likes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    film(tmp_path / "in.mp4", flat(2, SMALL)).rename(tmp_path / name)
    made = rendered(Path(name), GREEN)
    assert made.path.is_file()
    assert len(made.frames()) == 2
    assert {path.name for path in tmp_path.iterdir()} == {name, made.path.name}


@pytest.mark.parametrize("extension", ["mp4", "webm"])
def test_a_broken_video_is_refused_or_shorter(tmp_path: Path, extension: str) -> None:
    """Cut off anywhere, and with bytes of chance in it."""
    whole = film(tmp_path / f"in.{extension}", moving(frames=6, size=SMALL), sound=Sound.OPUS).read_bytes()
    chance = random.Random(5)
    broken = [whole[: len(whole) * share // 8] for share in range(1, 8)]
    for _ in range(24):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 10, 100])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        broken.append(bytes(data))
    outcomes = set()
    for number, part in enumerate(broken):
        source = tmp_path / f"{number}.bin"
        source.write_bytes(part)
        try:
            made = rendered(source, GREEN)
        except InvalidVideoError:
            outcomes.add("refused")
        else:
            outcomes.add("made")
            assert 1 <= made.result.frames <= 12
            assert len(made.frames()) == made.result.frames
    assert outcomes == {"refused", "made"}

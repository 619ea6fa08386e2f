"""The pictures that callers bring, and what is read for them of this machine."""

import base64
import os
from pathlib import Path

import pytest

from agent.errors import ArgumentsError
from agent.pictures import MAX_BYTES, Files, decode

PNG = b"\x89PNG\r\n\x1a\n and more"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a picture, beside a file that is nobody's business."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.png").write_bytes(PNG)
    (tmp_path / "secret.png").write_bytes(PNG)
    return tmp_path / "mine"


@pytest.mark.parametrize(
    ("head", "media_type"),
    [(PNG, "image/png"), (b"\xff\xd8\xff\xe0", "image/jpeg"), (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp")],
)
def test_a_picture_is_known_by_its_first_bytes(head: bytes, media_type: str) -> None:
    assert decode("image", base64.b64encode(head).decode()).media_type == media_type


def test_a_picture_comes_as_base64_with_or_without_lines_or_as_a_data_url() -> None:
    text = base64.encodebytes(PNG * 9).decode()
    assert "\n" in text.strip()
    for form in (text, text.replace("\n", ""), "data:image/png;base64," + text):
        assert decode("image", form).data == PNG * 9


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("data:image/png,abc", "must hold base64"),
        ("nötig", "no base64"),
        ("/etc/passwd.", "no base64"),
        ("https://example.com/a.png", "no base64"),
        (base64.b64encode(b"GIF89a").decode(), "no PNG, JPEG or WebP"),
        (base64.b64encode(PNG + bytes(MAX_BYTES)).decode(), "too large"),
        ("A" * (2 * MAX_BYTES), "too large"),
    ],
    ids=["data", "letters", "path", "url", "gif", "long", "longer"],
)
def test_what_is_no_picture_is_refused_by_the_arguments_name(text: str, why: str) -> None:
    with pytest.raises(ArgumentsError, match=f"^image.*{why}"):
        decode("image", text)


def test_a_file_is_read_in_its_folder_and_nowhere_else(folder: Path) -> None:
    files = Files(folder)
    assert files.read("image_path", "photo.png").data == PNG
    assert files.read("image_path", str(folder / "photo.png")).data == PNG
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    for path in ("../secret.png", str(folder.parent / "secret.png"), "link.png"):
        with pytest.raises(ArgumentsError, match="outside"):
            files.read("image_path", path)
    assert Files().read("image_path", str(folder.parent / "secret.png")).data == PNG


def test_only_a_picture_is_read_of_a_file(folder: Path) -> None:
    (folder / "key.pem").write_text("-----BEGIN PRIVATE KEY-----")
    os.mkfifo(folder / "pipe")
    with (folder / "large.png").open("wb") as large:
        large.write(PNG)
        large.truncate(MAX_BYTES + 1)
    refusals = {
        "key.pem": "no PNG",
        "pipe": "no file",
        ".": "directory",
        "none.png": "No such file",
        "large.png": "too large",
    }
    for path, why in refusals.items():
        with pytest.raises(ArgumentsError, match=why):
            Files(folder).read("image_path", path)


def test_a_result_is_written_to_a_new_file_of_a_folder_that_is_there(folder: Path) -> None:
    files = Files(folder)
    assert files.plan("save_to", "result.png") == folder / "result.png"
    for path, why in {"photo.png": "exists", "no/result.png": "no folder", "../result.png": "outside"}.items():
        with pytest.raises(ArgumentsError, match=why):
            files.plan("save_to", path)

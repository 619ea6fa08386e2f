"""Folders of pictures and masks, in the layouts that public sets have."""

from pathlib import Path

import pytest

from evaluation.errors import EvaluationError
from evaluation.samples import Sample, read_samples


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


@pytest.mark.parametrize(
    ("images", "masks"),
    [("images", "masks"), ("im", "gt"), ("original_image", "mask"), ("original", "mask"), ("image", "matte")],
    ids=["ours", "DIS5K", "P3M-10k", "AM-2k", "PPM-100"],
)
def test_the_layouts_of_public_sets_are_read(tmp_path: Path, images: str, masks: str) -> None:
    touch(tmp_path, f"{images}/b.jpg", f"{images}/a.PNG", f"{masks}/a.png", f"{masks}/b.png", f"{images}/.DS_Store")

    assert read_samples(tmp_path) == (
        Sample("a", tmp_path / images / "a.PNG", tmp_path / masks / "a.png"),
        Sample("b", tmp_path / images / "b.jpg", tmp_path / masks / "b.png"),
    )


def test_folders_within_are_part_of_the_name(tmp_path: Path) -> None:
    touch(tmp_path, "images/cats/1.jpg", "images/dogs/1.jpg", "masks/cats/1.png", "masks/dogs/1.png")

    assert [sample.name for sample in read_samples(tmp_path)] == ["cats/1", "dogs/1"]


def test_a_mask_without_a_picture_is_of_no_interest(tmp_path: Path) -> None:
    touch(tmp_path, "images/a.jpg", "masks/a.png", "masks/b.png")

    assert len(read_samples(tmp_path)) == 1


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (("masks/a.png",), "no folder 'images'"),
        (("images/a.jpg",), "no folder 'masks'"),
        (("images/readme.txt", "masks/a.png"), "has no pictures"),
        (("images/a.jpg", "images/b.jpg", "masks/a.png"), r"b\.jpg has no mask"),
        (("images/a.jpg", "images/a.png", "masks/a.png"), "have the same name"),
    ],
)
def test_what_is_no_set_is_refused_in_words(tmp_path: Path, files: tuple[str, ...], words: str) -> None:
    touch(tmp_path, *files)

    with pytest.raises(EvaluationError, match=words):
        read_samples(tmp_path)

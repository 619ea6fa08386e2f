from pathlib import Path

import pytest

from cli.plan import Job, PlanError, plan_jobs


def pictures(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def names(jobs: list[Job], out: Path) -> list[tuple[str, str]]:
    return [(job.source.name, job.target.relative_to(out).as_posix()) for job in jobs]


def test_a_file_takes_the_ending_of_its_format(tmp_path: Path) -> None:
    source = pictures(tmp_path, "photo.jpg") / "photo.jpg"
    assert names(plan_jobs([source], tmp_path / "out", ".webp"), tmp_path / "out") == [("photo.jpg", "photo.webp")]


def test_a_named_file_is_taken_whatever_its_name(tmp_path: Path) -> None:
    source = pictures(tmp_path, "upload.bin") / "upload.bin"
    assert names(plan_jobs([source], tmp_path / "out", ".png"), tmp_path / "out") == [("upload.bin", "upload.png")]


def test_a_folder_is_walked_and_keeps_its_shape(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "in", "b.PNG", "a.jpeg", "deep/er/c.webp", "notes.txt", "d.gif")
    assert names(plan_jobs([folder], tmp_path / "out", ".png"), tmp_path / "out") == [
        ("a.jpeg", "a.png"),
        ("b.PNG", "b.png"),
        ("c.webp", "deep/er/c.png"),
    ]


def test_pictures_that_would_share_a_result_keep_their_whole_names(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "in", "a.jpg", "a.png", "b.png")
    assert sorted(names(plan_jobs([folder], tmp_path / "out", ".png"), tmp_path / "out")) == [
        ("a.jpg", "a.jpg.png"),
        ("a.png", "a.png.png"),
        ("b.png", "b.png"),
    ]


def test_a_picture_that_is_named_twice_is_cut_once(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "in", "a.jpg")
    assert len(plan_jobs([folder, folder / "a.jpg"], tmp_path / "out", ".png")) == 1


def test_results_inside_the_folder_are_not_sources(tmp_path: Path) -> None:
    folder = pictures(tmp_path, "a.jpg", "out/a.png")
    assert names(plan_jobs([folder], folder / "out", ".png"), folder / "out") == [("a.jpg", "a.png")]


def test_results_may_lie_around_the_folder(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "in", "a.jpg")
    assert names(plan_jobs([folder], tmp_path, ".png"), tmp_path) == [("a.jpg", "a.png")]


@pytest.mark.parametrize(
    ("given", "out", "message"),
    [
        (["missing.png"], "out", "does not exist"),
        (["empty"], "out", "nothing found"),
        (["x/a.png", "y/a.png"], "out", "would both be written"),
        (["x/a.png"], "x", "would be overwritten"),
        (["z/a.jpg", "z/a.png", "z/a.jpg.jpg"], "out", "would both be written"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is(
    tmp_path: Path, given: list[str], out: str, message: str
) -> None:
    pictures(tmp_path, "x/a.png", "y/a.png", "z/a.jpg", "z/a.png", "z/a.jpg.jpg", "empty/notes.txt")
    with pytest.raises(PlanError, match=message):
        plan_jobs([tmp_path / name for name in given], tmp_path / out, ".png")

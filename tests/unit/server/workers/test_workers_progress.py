"""Progress through a file: the server sees the last that the worker told, and nothing before the first."""

from pathlib import Path

from server.workers.progress import read_progress, reporting


def test_the_last_report_is_read(tmp_path: Path) -> None:
    file = tmp_path / "progress"
    assert read_progress(file) is None
    with reporting(file) as report:
        assert read_progress(file) is None
        report(1, 120)
        assert read_progress(file) == (1, 120)
        report(45, 120)
        assert read_progress(file) == (45, 120)
    assert read_progress(file) == (45, 120)
    assert file.stat().st_size == 8  # However long the work, it does not grow.

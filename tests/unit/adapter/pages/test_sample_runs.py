"""No sample is shown that is not run."""

from tests.support.shown import ROOT, SAMPLES

RUNS = ("tests/e2e/test_page_samples.py", "tests/e2e/test_readme.py", "tests/support/documented.py")


def test_every_sample_is_run() -> None:
    programs = "".join((ROOT / path).read_text() for path in RUNS)
    names = [path.relative_to(SAMPLES).as_posix() for path in SAMPLES.glob("*/*.*")]
    assert len(names) > 40
    assert [name for name in names if f'"{name}"' not in programs] == []

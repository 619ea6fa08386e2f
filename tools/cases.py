"""`make cases`: which faults and attacks the tests cover, read from their `case` markers."""

import sys
from collections import defaultdict
from pathlib import Path

import pytest

_LIST = Path(__file__).with_name("cases.txt")


class _Collector:
    """A pytest plugin that keeps the tests of each case; parametrised copies of one test count once."""

    def __init__(self) -> None:
        self.tests: dict[str, set[str]] = defaultdict(set)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for marker in item.iter_markers("case"):
                for case in marker.args:
                    self.tests[str(case)].add(item.nodeid.partition("[")[0])


def read_cases() -> dict[str, str]:
    """Reads the known cases: id → title, in order."""
    lines = (line for line in _LIST.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    return {case: title for case, _, title in (line.partition(" ") for line in lines)}


def main() -> int:
    """Prints each case with its tests; 1 when tests cannot be collected or name an unknown case."""
    collector = _Collector()
    options = ["--collect-only", "-p", "no:terminal", "-o", "addopts=--import-mode=importlib"]
    status = pytest.main(options, plugins=[collector])
    if status is not pytest.ExitCode.OK:
        sys.stderr.write(f"collecting the tests ended with {status!r}; see: pytest --collect-only\n")
        return 1
    cases = read_cases()
    for case, title in cases.items():
        tests = sorted(collector.tests.get(case, ()))
        sys.stdout.write(f"{'x' if tests else ' '} {case:4} {title}\n")
        sys.stdout.writelines(f"         {test}\n" for test in tests)
    unknown = sorted(collector.tests.keys() - cases.keys())
    sys.stdout.write(f"{len(collector.tests.keys() & cases.keys())} of {len(cases)} cases covered\n")
    if unknown:
        sys.stderr.write(f"not in {_LIST.name}: {', '.join(unknown)}\n")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())

"""The rule of tests/conftest.py that CI relies on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = "from tests.conftest import pytest_make_collect_report, pytest_runtest_makereport\n"
CALL = "import pytest\ndef test_left_out():\n    pytest.skip('nothing here')\n"
FIXTURE = (
    "import pytest\n@pytest.fixture\ndef gone():\n    pytest.skip('nothing here')\ndef test_left_out(gone):\n    pass\n"
)
MODULE = "import pytest\npytest.importorskip('no_such_module_anywhere')\ndef test_left_out():\n    pass\n"


@pytest.mark.parametrize("code", [CALL, FIXTURE, MODULE], ids=["call", "fixture", "module"])
@pytest.mark.parametrize("require_all", ["0", "1"])
def test_leaving_a_test_out_is_a_failure_when_all_are_required(code: str, require_all: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(code + "def test_other():\n    pass\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", str(tmp_path)]
    environment = os.environ | {"REQUIRE_ALL": require_all}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    failed = result.returncode not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
    assert failed == (require_all == "1"), result.stdout
    assert ("left out although REQUIRE_ALL=1" in result.stdout) == (require_all == "1")

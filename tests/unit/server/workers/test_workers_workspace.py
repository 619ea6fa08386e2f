"""The folder in shared memory: nothing in it outlives its request, nor the folder its server."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from server.workers.workspace import Workspace

ABANDON = "import sys; from pathlib import Path; from server.workers.workspace import Workspace; import os; "
ABANDON += "w = Workspace(Path(sys.argv[1])); (w.root / '0-in').touch(); (w.root.parent / f'{w.name}-9-0-in').touch(); "
ABANDON += "print(w.name, flush=True); os._exit(9)"


def names(base: Path) -> set[str]:
    return {path.name for path in base.iterdir()}


def test_only_its_owner_may_look_into_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert stat.S_IMODE(workspace.root.stat().st_mode) == 0o700
    assert workspace.name.startswith(f"clearcanvas-{os.getpid()}-")
    workspace.close()
    assert names(tmp_path) == set()


def test_a_request_s_files_go_when_it_ends_however_it_ends(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with workspace.request() as first, workspace.request() as second:
        assert first.source != second.source
        os.write(first.source_fd, b"in")
        first.target.write_bytes(b"out")
        assert stat.S_IMODE(first.source.stat().st_mode) == 0o600
        for files in (first, second):
            os.close(files.source_fd)
    assert list(workspace.root.iterdir()) == []
    with workspace.request(background=True) as files:
        assert files.background is not None
        assert files.background_fd is not None
        assert files.background != files.source
        os.write(files.background_fd, b"behind")
        assert stat.S_IMODE(files.background.stat().st_mode) == 0o600
        os.close(files.source_fd)
        os.close(files.background_fd)
    assert list(workspace.root.iterdir()) == []
    with pytest.raises(ZeroDivisionError), workspace.request() as files, os.fdopen(files.source_fd):
        raise ZeroDivisionError
    assert list(workspace.root.iterdir()) == []
    workspace.close()


def test_the_dead_are_swept_and_the_living_left_alone(tmp_path: Path) -> None:
    living = Workspace(tmp_path)
    abandoned = subprocess.run([sys.executable, "-c", ABANDON, str(tmp_path)], stdout=subprocess.PIPE, check=False)
    dead = abandoned.stdout.decode().strip()
    foreign = {"clearcanvas-triton-12-abc", "somebody-else", "clearcanvas-1-x"}
    for name in foreign:
        (tmp_path / name).touch()
    (tmp_path / "clearcanvas-triton-13-abc").mkdir()
    assert {dead, f"{dead}-9-0-in", living.name} <= names(tmp_path)
    another = Workspace(tmp_path)
    assert names(tmp_path) == {living.name, another.name, "clearcanvas-triton-13-abc"} | foreign


def test_a_folder_is_private_and_goes_with_what_is_in_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "not" / "there yet")
    with workspace.folder() as folder, workspace.folder() as other:
        assert folder != other
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_bytes(b"x")
        (folder / "inner").mkdir()
    assert list(workspace.root.iterdir()) == []
    workspace.close()

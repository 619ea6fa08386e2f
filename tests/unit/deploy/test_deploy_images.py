"""What the images are built from: pinned by hash, no more than a program imports, and run without rights."""

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest
from packaging.utils import NormalizedName, canonicalize_name

from tests.support.cluster import DEPLOY, ROOT, read
from tests.support.locks import read_pins

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
STAGES = {stage.split(maxsplit=1)[0]: stage for stage in re.split(r"^FROM \S+ AS ", DOCKERFILE, flags=re.MULTILINE)[1:]}
LIBRARIES = ("cards", "clearcanvas", "database", "egress", "evaluation", "telemetry", "transport")

# Loaded by a name or an option, never by an import of ours.
BY_NAME = {
    "adapter": {"coincurve", "opentelemetry-exporter-otlp-proto-grpc", "psycopg", "python-dotenv"},
    "server": {"opentelemetry-exporter-otlp-proto-grpc", "psycopg", "python-dotenv", "pyvips-binary"},
}


def wanted(path: Path) -> set[NormalizedName]:
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {canonicalize_name(line.partition("[")[0]) for line in lines if line}


def imported(program: str) -> set[NormalizedName]:
    """The distributions that the program imports somewhere, directly or through what programs share."""
    graph = grimp.build_graph(program, *LIBRARIES, include_external_packages=True)
    seen = {module for module in graph.modules if module.split(".")[0] == program}
    waiting = list(seen)
    while waiting:
        new = graph.find_modules_directly_imported_by(waiting.pop()) - seen
        seen |= new
        waiting += new
    distributions = packages_distributions()
    ours = {program, *LIBRARIES}
    tops = {module.split(".")[0] for module in seen} - ours
    # Both multiparts have a module of that name; python-multipart's hands over to the one that is meant.
    distributions = {**distributions, "multipart": ["multipart"]}
    return {canonicalize_name(name) for top in tops for name in distributions.get(top, ())} - {"clearcanvas"}


@pytest.mark.parametrize("program", ["adapter", "server"])
def test_an_image_has_what_its_program_imports_and_no_more(program: str) -> None:
    listed, needed = wanted(DEPLOY / "images" / f"{program}.in"), imported(program)
    # One top-level package may be of several distributions: all that are listed count, one of them must be.
    spaces = {"google": {"protobuf", "googleapis-common-protos"}, "opentelemetry": {"opentelemetry-sdk"}}
    shared = {name for name in needed if name.startswith("opentelemetry-")} | spaces["google"]
    assert needed - shared <= listed, f"deploy/images/{program}.in lacks a name; then: make lock"
    assert listed - needed - BY_NAME[program] - shared == set(), f"{program} does not import these"
    assert not {"grpcio-tools", "onnx", "pytest", "ruff", "typer"} & {name for name, _ in read_pins(lock_of(program))}


def lock_of(program: str) -> Path:
    return DEPLOY / "images" / f"{program}.lock"


@pytest.mark.case("C7")
@pytest.mark.parametrize("program", ["adapter", "build", "server", "triton"])
def test_every_distribution_of_an_image_is_pinned_by_hash(program: str) -> None:
    pins = read_pins(lock_of(program))
    assert pins
    assert all(pins.values())
    assert wanted(DEPLOY / "images" / f"{program}.in") <= {name for name, _ in pins}


@pytest.mark.case("C7")
@pytest.mark.parametrize("program", ["adapter", "server"])
def test_images_have_the_versions_that_were_tested(program: str) -> None:
    tested = read_pins(ROOT / "requirements" / "dev.lock")
    assert [pin for pin, hashes in read_pins(lock_of(program)).items() if tested.get(pin) != hashes] == []


@pytest.mark.case("C7")
def test_nothing_is_installed_that_no_hash_speaks_for() -> None:
    for command in re.findall(r"pip (?:--python \S+ )?(?:install|wheel) .*?(?=&&|\n\S)", DOCKERFILE, re.DOTALL):
        assert "--no-deps" in command
        assert "--require-hashes" in command or "--no-index" in command, command
    assert re.search(r"^ARG PYTHON_IMAGE=\S+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)
    assert re.search(r"^ARG TRITON_IMAGE=\S+:\d\d\.\d\d-py3(@sha256:[0-9a-f]{64})?$", DOCKERFILE, re.MULTILINE)
    (compose,) = read(DEPLOY / "compose.yaml")
    for service in compose["services"].values():
        assert service["image"].startswith("clearcanvas/") or re.search(r"@sha256:[0-9a-f]{64}$", service["image"])


@pytest.mark.case("C6")
def test_images_run_as_a_user_without_rights() -> None:
    assert re.findall(r"^USER (\S+)$", STAGES["runtime"], re.MULTILINE)[-1:] == ["10001:10001"]
    assert re.findall(r"^USER (\S+)$", STAGES["triton"], re.MULTILINE)[-1:] == ["1000:1000"]
    for stage in ("server", "adapter", "operator", "models"):
        assert "USER" not in STAGES[stage]
        assert re.search(rf"^FROM (runtime|server) AS {stage}$", DOCKERFILE, re.MULTILINE)
    assert "pip uninstall --yes" in STAGES["runtime"]
    assert not re.search(r"apt-get|apk |curl |wget ", DOCKERFILE)


def test_a_build_is_given_what_is_named_and_no_secret() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in lines if line and not line.startswith("#")) == "*"
    let_in = {line.removeprefix("!/") for line in lines if line.startswith("!")}
    copied = {
        word.rstrip("/") for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for word in line.split()[:-1] if not word.startswith("--")
    }  # fmt: skip
    for name in copied:
        assert (ROOT / name).exists(), name
        assert any(name == one or name.startswith(f"{one}/") for one in let_in), f"{name} is not let in"
    assert not let_in & {".git", "data", "deploy/certs", "."}

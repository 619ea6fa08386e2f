"""The README's commands, and those of the guides for operators, against the stack that one of them starts."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dotenv import dotenv_values
from onnx import save
from PIL import Image
from pydantic_settings import BaseSettings

from adapter.config import Settings as AdapterSettings
from adapter.sale.settings import PaymentSettings
from server.config import Settings as ServerSettings
from tests.support.clip_scenes import Scene
from tests.support.clips import decoded_frames, film
from tests.support.networks import bright_is_subject
from tests.support.paid_pictures import make_paid_photo
from tests.support.processes import module
from tests.support.server import picture
from tests.support.shown import ROOT, Reader, blocks_of
from tests.support.stack import RunningStack, starting_stack
from tests.support.swapped_models import write_golden_set
from tests.support.toy_generation import write_toy_generation

SIDE = 1024
NORMALISED = ("--size", str(SIDE), "--mean", "128", "--std", "256")


def read_commands() -> list[str]:
    """Every line of shell in the README, with those that it goes on in."""
    code = "".join(block.code for block in blocks_of((ROOT / "README.md").read_text()) if block.info == "bash")
    return [line for line in code.replace("\\\n", " ").splitlines() if line]


COMMANDS = read_commands()


RUN = (
    *("make up ARGS=--devnet", "/image/matte/v1", "/image/blur/v1", "/image/generate/v1", "/image/hd/submit/v1"),
    *("/video/submit/v1", "/video/result/", "cut photos/", "cut a.jpg", "clearcanvas video", "curl -i"),
    *("clearcanvas pay", "clearcanvas ledger", "models import", "models compare", "models promote", "models rollback"),
)
"""What tells each command that is run here from the others."""
RUN_ELSEWHERE = ("make demo", "make test", "make up  ")  # The first two by CI, the third for the documents' samples.


def command(words: str) -> str:
    """The one command with these words of RUN."""
    assert words in RUN
    (found,) = (line for line in COMMANDS if words in line)
    return found


def test_every_command_is_run() -> None:
    assert [line for line in COMMANDS if sum(words in line for words in (*RUN, *RUN_ELSEWHERE)) != 1] == []


@pytest.fixture(scope="module")
def settings(triton_env: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a stack of one's own is told: free ports, a folder, and models that are small."""
    folder = tmp_path_factory.mktemp("readme")
    save(bright_is_subject(SIDE), folder / "net.onnx")
    imported = ("models", "import", str(folder / "net.onnx"), "--name", "isnet", *NORMALISED)
    repository = str(folder / "repository")
    subprocess.run(module("cli", *imported, "--repository", repository), check=True)
    write_toy_generation(folder / "repository", "painter")
    return {
        "CLEARCANVAS_HTTP": "127.0.0.1:0",
        "CLEARCANVAS_GRPC": "127.0.0.1:0",
        "CLEARCANVAS_DATA": str(folder / "data"),
        "CLEARCANVAS_MODEL_REPOSITORY": repository,
        "CLEARCANVAS_FAST_MODEL": "isnet",
        "CLEARCANVAS_GENERATION_MODEL": "painter",
        "CLEARCANVAS_TRITON_ENV": str(triton_env),
        "CLEARCANVAS_GOLDEN": str(write_golden_set(folder / "golden", pictures=1)),
        "CLEARCANVAS_MAX_LATENCY_RATIO": "1000",  # What else this machine does is not judged here.
    }


@pytest.fixture(scope="module")
def stack(settings: dict[str, str]) -> Iterator[RunningStack]:
    """What the README starts, paid on local chains."""
    log = Path(settings["CLEARCANVAS_DATA"]).with_name("up.log")
    started = ["bash", "-c", f"exec {command('make up ARGS=--devnet')}"]
    with starting_stack(started, settings | {"MAKEFLAGS": ""}, log, cwd=ROOT) as running:
        yield running


@pytest.fixture
def reader(stack: RunningStack, settings: dict[str, str], tmp_path: Path) -> Reader:
    """Somebody in a folder that looks like the project's."""
    folder = Path(settings["CLEARCANVAS_DATA"]).parent
    for name, target in (("tests", ROOT / "tests"), (".venv", ROOT / ".venv"), ("data", folder / "data")):
        (tmp_path / name).symlink_to(target)
    (tmp_path / "golden").symlink_to(folder / "golden")
    return Reader(stack.url(""), tmp_path, settings | {"CLEARCANVAS_GRPC": stack.grpc})


def run(reader: Reader, line: str) -> str:
    """Run one command, at the stack's own address; returns what it prints."""
    return reader.run_code("command.sh", line.replace("http://127.0.0.1:8402", reader.url))


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as found:
        return found.size


@pytest.mark.parametrize(
    ("words", "photo", "made"),
    [("matte", "astronaut", "cutout.png"), ("blur", "coffee", "blurred.png"), ("generate", None, "beach.png")],
)
def test_a_picture_is_edited(reader: Reader, words: str, photo: str | None, made: str) -> None:
    if photo is None:
        run(reader, command("/image/matte/v1"))
        photo = "astronaut"
    run(reader, command(f"/image/{words}/v1"))
    assert size(reader.folder / made) == size(ROOT / "tests" / "photos" / f"{photo}.png")


def test_a_large_picture_is_a_job(reader: Reader) -> None:
    assert json.loads(run(reader, command("/image/hd/submit/v1")))["status"] == "processing"


def test_a_video_is_a_job(reader: Reader) -> None:
    make_clip(reader.folder)
    submit, listen = command("/video/submit/v1").split("; ")
    uuid = json.loads(run(reader, submit))["uuid"]
    assert "event: success" in run(reader, listen.replace("UUID", uuid))
    run(reader, command("/video/result/").replace("UUID", uuid))
    assert len(decoded_frames(reader.folder / "clip-on-green.mp4")) == 6


def test_files_are_cut_out_on_the_command_line(reader: Reader) -> None:
    photos = reader.folder / "photos"
    photos.mkdir()
    for path in (photos / "c.png", reader.folder / "a.jpg", reader.folder / "b.png"):
        path.write_bytes(picture(form={".jpg": "JPEG", ".png": "PNG"}[path.suffix]))
    make_clip(reader.folder)
    run(reader, command("cut photos/"))
    assert size(reader.folder / "cutouts" / "c.png") == (320, 240)
    run(reader, command("cut a.jpg"))
    assert sorted(path.name for path in (reader.folder / "out").iterdir()) == ["a.jpg", "b.jpg"]
    run(reader, command("clearcanvas video"))
    assert len(decoded_frames(reader.folder / "out" / "clip.mp4")) == 6
    assert (reader.folder / "sheet.png").exists()


def make_clip(folder: Path) -> None:
    shown = np.asarray(Image.open(ROOT / "tests" / "photos" / "coffee.png").convert("RGB").resize((320, 240)))
    film(folder / "clip.mp4", Scene([shown] * 6))


@pytest.mark.parametrize("rail", ["x402", "mpp"])
def test_a_picture_is_paid_for(reader: Reader, rail: str) -> None:
    assert run(reader, command("curl -i")).startswith("HTTP/1.1 402 ")
    pay = command("clearcanvas pay")
    assert "--rail x402" in pay
    assert "or --rail mpp" in pay
    said = run(reader, pay.replace("--rail x402", f"--rail {rail}"))
    assert re.search(r"^receipt +0x[0-9a-f]{64}$", said, re.MULTILINE)
    assert size(reader.folder / "paid.png") == size(ROOT / "tests" / "photos" / "coffee.png")
    assert "delivered" in run(reader, command("clearcanvas ledger"))


def test_a_model_is_swapped_and_swapped_back(reader: Reader) -> None:
    save(bright_is_subject(SIDE), reader.folder / "net.onnx")
    run(reader, command("models import"))
    assert "isnet@2 against isnet@1" in run(reader, f"{command('models compare').partition(' #')[0]} || test $? = 3")
    run(reader, command("models promote"))
    assert model_version(reader) == "2"
    run(reader, command("models rollback"))
    assert model_version(reader) == "1"


def model_version(reader: Reader) -> str:
    """The version that answers."""
    headers = run(reader, f"{command('/image/matte/v1')} --dump-header -")
    (found,) = re.findall(r"^X-Model-Version: (\S+)", headers, re.MULTILINE)
    return str(found)


class TestGuide:
    """What the served guides show to whoever runs the service."""

    def test_it_says_what_the_readme_says(self, reader: Reader) -> None:
        swap = [command(f"models {word}") for word in ("import", "compare", "promote", "rollback")]
        assert words_of(reader.copy("self-hosting/swap.sh")) == words_of("\n".join(swap))
        assert words_of(reader.copy("self-hosting/devnet.sh")) == words_of(command("make up ARGS=--devnet"))

    def test_the_first_picture_and_the_first_payment(self, reader: Reader) -> None:
        photo = reader.folder / "photo.png"
        photo.write_bytes(make_paid_photo())
        reader.run("self-hosting/first.sh")
        assert size(reader.folder / "result.png") == size(photo)
        assert "delivered" in reader.run("self-hosting/pay.sh")
        assert size(reader.folder / "paid.png") == size(photo)

    def test_keys_are_made_listed_and_revoked(self, reader: Reader) -> None:
        (reader.folder / "data").unlink()
        (reader.folder / "data").mkdir()  # Others need no key of this one.
        assert "shop" in reader.run("keys/keys.sh", COLUMNS="200")
        listed = reader.run_code("list.sh", "clearcanvas keys list", COLUMNS="200")
        (found,) = re.findall(r"(\w+) +│ shop ", listed)
        reader.run("keys/revoke.sh", ID=found)

    def test_settings(self, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
        file = write_settings(reader, "self-hosting/settings.env")
        secrets = reader.folder / "secrets"
        secrets.mkdir()
        (secrets / "x402-key").write_text("0x" + "11" * 32)
        (secrets / "mpp-secret").write_text("s" * 32)
        monkeypatch.chdir(reader.folder)
        check_names(file, AdapterSettings, PaymentSettings)
        assert PaymentSettings(_env_file=file).rails == ("x402", "mpp")
        assert AdapterSettings(_env_file=file).http == "0.0.0.0:8402"

    def test_certificates(self, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "# shop" in reader.run("self-hosting/certs.sh").splitlines()
        file = write_settings(reader, "grpc/callers.env")
        monkeypatch.chdir(reader.folder)
        check_names(file, ServerSettings)
        server = ServerSettings(_env_file=file)
        assert server.callers["shop"] == ("ImageService",)
        assert (reader.folder / "certs" / "shop" / "cert.pem").exists()

    def test_containers_are_told_of_files_that_exist(self, reader: Reader) -> None:
        (reader.folder / "deploy").mkdir()
        (reader.folder / "deploy" / "compose.yaml").symlink_to(ROOT / "deploy" / "compose.yaml")
        docker = reader.folder / "docker"
        docker.write_text('#!/bin/sh\necho "$@"\nhead -qn 1 "$3" "$5"\n')
        docker.chmod(0o755)
        said = reader.run("self-hosting/compose.sh", PATH=f"{reader.folder}:{reader.variables()['PATH']}")
        assert " up --build --detach" in said
        secrets = (reader.folder / "deploy" / "secrets.env").read_text()
        assert len(re.findall(r"^\w+=[0-9a-f]{48}$", secrets, re.MULTILINE)) == 5


def words_of(code: str) -> list[str]:
    """A shell program without its comments and its lines."""
    return shlex.split(code.replace("\\\n", " "), comments=True)


def write_settings(reader: Reader, name: str) -> Path:
    """The settings that a guide shows, as a file."""
    file = reader.folder / Path(name).name
    file.write_text(reader.copy(name))
    return file


def check_names(file: Path, *settings: type[BaseSettings]) -> None:
    """Every variable is a setting."""
    known = {f"CLEARCANVAS_{name.upper()}" for each in settings for name in each.model_fields}
    assert set(dotenv_values(file)) <= known

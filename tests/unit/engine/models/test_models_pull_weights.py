"""Pulling the weights of a diffusion model: only what is needed, only what is pinned, whole or not at all."""

import json
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cards.card import read_config
from cards.generation import GenerationCard, read_generation_card
from cards.weights import manifest_of
from engine.models.errors import SourceError
from engine.models.origin import open_origin
from engine.models.pull_weights import is_in_place, pull_weights
from tests.support.toy_generation import write_toy_generation

PLAIN = "diffusion_pytorch_model.safetensors"
HALF = "diffusion_pytorch_model.fp16.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model that needs weights."""
    path = write_toy_generation(tmp_path / "repository")
    with (path / "config.pbtxt").open("a") as card:
        card.write('parameters { key: "weights" value { string_value: "weights" } }\n')
    return path


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A pipeline as hubs have it: with pickles, pictures and several precisions beside what is needed."""
    root = tmp_path / "hub"
    parts = {
        "unet": ["diffusers", "UNet"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "feature_extractor": [None, None],
    }
    write(root, "model_index.json", json.dumps({"_class_name": "Pipeline", "force_zeros": True, **parts}))
    for name in ("unet/config.json", f"unet/{PLAIN}", f"unet/{HALF}", "tokenizer/vocab.json", "tokenizer/merges.txt"):
        write(root, name, name)
    for name in ("README.md", "unet/diffusion_pytorch_model.bin", "picture.png", "scripts/run.py"):
        write(root, name, name)
    return root


@pytest.fixture
def address(hub: Path) -> Iterator[str]:
    """The same over HTTP."""
    handler = partial(Silent, directory=str(hub))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Silent(SimpleHTTPRequestHandler):
    """Logs nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


def write(root: Path, name: str, text: str) -> None:
    """Write a file, with its folder."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def card_of(folder: Path) -> GenerationCard:
    return read_generation_card(folder, read_config(folder))


def pull(folder: Path, place: object, *, trust: bool = False) -> bool:
    return pull_weights(card_of(folder), folder, open_origin(str(place)), lambda _step: None, trust=trust)


def taken(folder: Path) -> set[str]:
    weights = folder / "weights"
    return {path.relative_to(weights).as_posix() for path in weights.rglob("*") if path.is_file()}


NEEDED = {"model_index.json", "unet/config.json", f"unet/{HALF}", "tokenizer/vocab.json", "tokenizer/merges.txt"}


def test_what_nothing_pins_is_not_taken(folder: Path, hub: Path) -> None:
    with pytest.raises(SourceError, match="--trust"):
        pull(folder, hub)
    assert not (folder / "weights").exists()


@pytest.mark.parametrize("web", [False, True])
def test_a_trusted_pull_takes_what_is_needed_and_pins_it(folder: Path, hub: Path, address: str, web: bool) -> None:  # noqa: FBT001
    assert pull(folder, address if web else hub, trust=True)
    assert taken(folder) == NEEDED
    pinned = manifest_of(folder, "weights").read_text().splitlines()
    assert {line[66:] for line in pinned} == NEEDED
    assert is_in_place(card_of(folder), folder)
    assert not pull(folder, hub, trust=True)


def test_what_is_pinned_comes_again_from_anywhere_without_trust(folder: Path, hub: Path, address: str) -> None:
    pull(folder, hub, trust=True)
    (folder / "weights" / "unet" / HALF).write_text("harmed")
    assert pull(folder, address)
    assert is_in_place(card_of(folder), folder)


@pytest.mark.parametrize("trust", [False, True])
def test_what_is_not_as_pinned_is_refused_and_nothing_changes(folder: Path, hub: Path, trust: bool) -> None:  # noqa: FBT001
    pull(folder, hub, trust=True)
    (folder / "weights" / "unet" / "config.json").unlink()
    write(hub, f"unet/{HALF}", "other")
    with pytest.raises(SourceError, match=f"{HALF} is not what .* says"):
        pull(folder, hub, trust=trust)
    assert taken(folder) == NEEDED - {"unet/config.json"}


def test_what_is_pinned_and_gone_is_named(folder: Path, hub: Path) -> None:
    pull(folder, hub, trust=True)
    (folder / "weights" / "unet" / "config.json").unlink()
    (hub / "tokenizer" / "merges.txt").unlink()
    with pytest.raises(SourceError, match=r"tokenizer/merges\.txt is not there"):
        pull(folder, hub)


def test_full_precision_is_taken_where_there_is_no_half(folder: Path, hub: Path) -> None:
    (hub / "unet" / HALF).unlink()
    pull(folder, hub, trust=True)
    assert f"unet/{PLAIN}" in taken(folder)


def test_shards_are_taken_by_their_index(folder: Path, hub: Path) -> None:
    (hub / "unet" / HALF).unlink()
    shards = [f"diffusion_pytorch_model.fp16-0000{number}-of-00002.safetensors" for number in (1, 2)]
    index = {"weight_map": {"a": shards[0], "b": shards[1], "c": shards[0]}}
    write(hub, "unet/diffusion_pytorch_model.safetensors.index.fp16.json", json.dumps(index))
    for shard in shards:
        write(hub, f"unet/{shard}", shard)
    pull(folder, hub, trust=True)
    assert {f"unet/{shard}" for shard in shards} <= taken(folder)


@pytest.mark.parametrize("name", ["../../elsewhere.safetensors", "run.py", 7])
def test_an_index_that_names_anything_else_is_refused(folder: Path, hub: Path, name: object) -> None:
    (hub / "unet" / HALF).unlink()
    index = json.dumps({"weight_map": {"a": name}})
    write(hub, "unet/diffusion_pytorch_model.safetensors.index.fp16.json", index)
    with pytest.raises(SourceError, match="no safetensors file"):
        pull(folder, hub, trust=True)
    assert not (folder / "weights").exists()


def test_a_pipeline_of_pickles_alone_is_refused(folder: Path, hub: Path) -> None:
    for name in (PLAIN, HALF):
        (hub / "unet" / name).unlink()
    with pytest.raises(SourceError, match="other kinds of weights are programs"):
        pull(folder, hub, trust=True)


@pytest.mark.parametrize("index", ["", "[]", "{}", '{"../unet": ["a", "b"]}'])
def test_what_is_no_pipeline_is_refused(folder: Path, hub: Path, index: str) -> None:
    write(hub, "model_index.json", index)
    with pytest.raises(SourceError, match=r"model_index\.json"):
        pull(folder, hub, trust=True)


def test_a_part_without_any_known_file_is_named(folder: Path, hub: Path) -> None:
    for name in ("vocab.json", "merges.txt"):
        (hub / "tokenizer" / name).unlink()
    with pytest.raises(SourceError, match="'tokenizer'"):
        pull(folder, hub, trust=True)


def test_a_cache_of_links_is_copied(folder: Path, hub: Path, tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    (hub / "unet" / HALF).rename(blob)
    (hub / "unet" / HALF).symlink_to(blob)
    pull(folder, hub, trust=True)
    assert not (folder / "weights" / "unet" / HALF).is_symlink()


@pytest.mark.parametrize("place", ["http://example.org/x", "ftp://example.org/x", "/nowhere/at/all"])
def test_a_place_that_cannot_be_is_refused(place: str) -> None:
    with pytest.raises(SourceError):
        open_origin(place)


def test_a_server_that_is_away_is_an_error(folder: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        pull(folder, "http://127.0.0.1:1/", trust=True)

"""Every background and shadow of the contract is drawn by the server, asked for by a flag, and sold by a row.

The contract itself says which there are: whoever adds one to composition.proto is told here what is missing.
"""

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from clearcanvas.v1.composition_pb2 import Composition

from adapter.operations import OPERATIONS, read_order
from adapter.uploads.form import Form
from cli.compositions import BACKGROUNDS, read_template
from cli.cut import cut

# What a flag, and a row, needs to be asked at all.
VALUES = {"color": "red", "gradient": "red,blue", "blur": "20", "prompt": "a beach"}
NEEDED = {"prompt": "a beach", "bg_image_url": "https://example.com/beach.jpg"}
FOLDERS = {"background": "server.backgrounds", "shadow": "server.shadows"}


def members(oneof: str) -> list[str]:
    return [field.name for field in Composition.DESCRIPTOR.oneofs_by_name[oneof].fields]


def chosen(composition: Any, oneof: str) -> str | None:
    return next((name for name in members(oneof) if composition.HasField(name)), None)


each = pytest.mark.parametrize(
    ("oneof", "name"), [pytest.param(oneof, name, id=name) for oneof in FOLDERS for name in members(oneof)]
)


@each
def test_it_has_a_renderer(oneof: str, name: str) -> None:
    module = import_module(f"{FOLDERS[oneof]}.{name.removesuffix('_shadow')}")
    assert callable(module.render)


@each
def test_it_has_a_row(oneof: str, name: str) -> None:
    asked = [
        read_order(row, Form({"image": b"x"}, NEEDED | {"shadow": shadow, "mode": shadow}), "").edit.composition
        for row in OPERATIONS
        for shadow in ("drop", "contact")
    ]
    assert name in {chosen(composition, oneof) for composition in asked}


@each
def test_it_has_a_flag(oneof: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "beach.jpg").write_bytes(b"x")
    unset = {flag: parameter.default for flag, parameter in inspect.signature(cut).parameters.items()}
    values: dict[str, object] = {**VALUES, "background": tmp_path / "beach.jpg"}
    given = [{flag: values[flag]} for flag in BACKGROUNDS] + [{"shadow": word} for word in ("drop", "contact")]
    asked = [read_template(unset | flags).composition for flags in given]
    # No flag is no background.
    assert name in {chosen(composition, oneof) or "none" for composition in asked}


def test_any_background_goes_with_any_shadow() -> None:
    rows = [row for row in OPERATIONS if row.name not in {"matte", "shadow"}]
    asked = [
        read_order(row, Form({"image": b"x"}, NEEDED | {"shadow": shadow}), "").edit.composition
        for row in rows
        for shadow in ("drop", "contact")
    ]
    pairs = {(chosen(composition, "background"), chosen(composition, "shadow")) for composition in asked}
    backgrounds = set(members("background")) - {"none"}  # Which is the row `shadow` itself.
    assert pairs == {(background, shadow) for background in backgrounds for shadow in members("shadow")}

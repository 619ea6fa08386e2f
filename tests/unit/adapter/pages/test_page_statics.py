"""The files that pages load, and their addresses."""

import re
from pathlib import Path

import pytest

import adapter.pages
from adapter.pages.statics import Statics

FOLDER = Path(adapter.pages.__file__).parent / "static"


def test_an_address_has_the_digest_of_all_files() -> None:
    statics = Statics()
    assert statics.address("style.css") == f"/static/{statics.digest}/style.css"
    assert statics.address("fonts/inter.woff2") == f"/static/{statics.digest}/fonts/inter.woff2"


def test_a_file_that_is_not_there_has_no_address() -> None:
    with pytest.raises(KeyError):
        Statics().address("missing.css")


def test_every_file_is_served() -> None:
    there = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    assert set(Statics().files) == there


def test_style_sheets_load_only_what_is_there_and_nothing_from_elsewhere() -> None:
    statics = Statics()
    for name, file in statics.files.items():
        if name.endswith(".css"):
            assert "@import" not in file.body.decode()
            for address in re.findall(r"url\(\"?([^\")]+)\"?\)", file.body.decode()):
                assert (FOLDER / name).parent.joinpath(address).is_file(), f"{name} loads {address}"


def test_the_font_is_small_and_its_licence_beside_it() -> None:
    assert len(Statics().files["fonts/inter.woff2"].body) <= 50 * 1024
    assert "SIL Open Font License" in Statics().files["fonts/OFL.txt"].body.decode()

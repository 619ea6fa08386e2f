"""How a version of a model is written."""

import pytest

from cards.target import Target, parse_target


@pytest.mark.parametrize(
    ("text", "target"),
    [("isnet", Target("isnet")), ("isnet@2", Target("isnet", 2)), ("a.b-c_1@10", Target("a.b-c_1", 10))],
)
def test_what_is_written_is_read_and_written_again(text: str, target: Target) -> None:
    assert parse_target(text) == target
    assert str(target) == text


@pytest.mark.parametrize("text", ["", "@1", "isnet@", "isnet@0", "isnet@x", "isnet@1@2", "../isnet", "is net"])
def test_what_names_no_version_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="isnet@2"):
        parse_target(text)

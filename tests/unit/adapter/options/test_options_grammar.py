"""What machines are told of a value, and what is read: whatever matches the pattern of an option can be parsed."""

from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.operations import OPERATIONS
from adapter.options.colors import COLOR_SCHEMAS, parse_color, parse_loose_color
from adapter.options.jobs import WEBHOOK_URL
from adapter.options.option import Option
from adapter.removebg.parameters import PARAMETERS

OPTIONS = {option.schema["description"]: option for row in OPERATIONS for option in row.options}
WRITTEN = [option for option in (*OPTIONS.values(), WEBHOOK_URL, *PARAMETERS) if "pattern" in option.schema]


@pytest.mark.parametrize("option", WRITTEN, ids=lambda option: option.name)
@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_matches_is_read(option: Option[Any], data: st.DataObject) -> None:
    text = data.draw(st.from_regex(str(option.schema["pattern"]), fullmatch=True)).strip()
    if text and len(text) <= 2_048:
        option.parse(text)


@pytest.mark.parametrize("option", WRITTEN, ids=lambda option: option.name)
def test_examples_match(option: Option[Any]) -> None:
    examples = option.schema.get("examples", [])
    assert isinstance(examples, list)
    for example in examples:
        option.parse(example)


@pytest.mark.parametrize(("name", "parse"), [("Color", parse_color), ("LooseColor", parse_loose_color)])
@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_spelling_of_a_color_is_read(name: str, parse: Any, data: st.DataObject) -> None:
    spellings, names = cast("list[dict[str, Any]]", COLOR_SCHEMAS[name]["anyOf"])
    text = data.draw(st.from_regex(spellings["pattern"], fullmatch=True) | st.sampled_from(names["enum"]))
    if text.strip():
        parse(text)

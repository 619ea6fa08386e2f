"""The tools take what the HTTP API's forms take: the same names, the same bounds, the same choices."""

import pytest

from adapter.operations import OPERATIONS, Operation
from adapter.uploads.body import UploadLimits
from agent.arguments import LOCAL, Color, describe
from agent.pictures import MAX_BYTES
from agent.tools import ROWS, Row, list_tools

_BOUNDS = ("minimum", "maximum", "maxLength")
BY_OPERATION = {operation.name: operation for operation in OPERATIONS}
EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def operation_of(row: Row) -> Operation:
    return BY_OPERATION[row.operation]


def test_there_is_one_tool_for_each_operation() -> None:
    assert sorted(row.operation for row in ROWS) == sorted(BY_OPERATION)
    assert [operation.path for operation in OPERATIONS] == [f"/image/{name}/v1" for name in BY_OPERATION]


@EACH
def test_a_tool_takes_every_field_of_its_operation_and_no_other(row: Row) -> None:
    fields = set(row.arguments.model_fields) - {*row.arguments.files, *LOCAL}
    options = operation_of(row).options
    named = {option.names[0]: set(option.names) & fields for option in options}
    assert all(len(names) == 1 for names in named.values()), named
    assert fields == set().union(*named.values())
    assert list(row.arguments.files) == list(operation_of(row).files)


@EACH
def test_a_field_has_the_bounds_and_the_choices_of_its_operation(row: Row) -> None:
    described = describe(row.arguments, local=True)["properties"]
    for option in operation_of(row).options:
        (name,) = set(option.names) & set(described)
        ours, theirs = described[name], option.schema
        assert {key: ours.get(key) for key in _BOUNDS} == {key: theirs.get(key) for key in _BOUNDS}, name
        if theirs.get("enum") == ["true", "false"]:
            assert ours["type"] == "boolean"
        else:
            assert (ours["type"], ours.get("enum")) == (theirs["type"], theirs.get("enum")), name


def test_a_picture_has_the_size_that_the_service_takes() -> None:
    assert UploadLimits().image_bytes == MAX_BYTES


def test_files_are_named_on_this_machine_alone() -> None:
    for here, elsewhere in zip(list_tools(local=True), list_tools(local=False), strict=True):
        assert {"image_path", "save_to"} <= set(here.input_schema["properties"])
        assert not set(LOCAL) & set(elsewhere.input_schema["properties"])
        assert "image" in elsewhere.input_schema["required"]
        assert "image" not in here.input_schema["required"]


def test_arguments_are_written_as_fields_of_a_form() -> None:
    arguments = Color.model_validate({"image": "x", "color": "red", "crop": True, "size": 512, "offset_x": -3})
    assert arguments.fields() == {"color": "red", "crop": "true", "size": "512", "offset_x": "-3"}

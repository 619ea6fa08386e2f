"""The table of the tools: one for each image operation. A new one is one row."""

from dataclasses import dataclass

from mcp_types import Tool, ToolAnnotations

from agent import arguments
from agent.arguments import Arguments, describe
from agent.results import Facts


@dataclass(frozen=True)
class Row:
    """One tool: what the agent sees, and the operation of the HTTP API behind it."""

    name: str
    operation: str
    title: str
    description: str
    arguments: type[Arguments]


ROWS = (
    Row(
        "remove_background",
        "matte",
        "Remove the background",
        "Cut the subject out of a picture: returns it on transparency, in the size of the picture.",
        Arguments,
    ),
    Row(
        "replace_background_with_color",
        "color",
        "Replace the background with a color",
        "Lay the subject of a picture over one color, with a shadow if wanted.",
        arguments.Color,
    ),
    Row(
        "replace_background_with_gradient",
        "gradient",
        "Replace the background with a gradient",
        "Lay the subject of a picture over a gradient of two colors, with a shadow if wanted.",
        arguments.Gradient,
    ),
    Row(
        "replace_background_with_picture",
        "picture",
        "Replace the background with another picture",
        "Lay the subject of a picture over another picture, with a shadow if wanted.",
        arguments.Scene,
    ),
    Row(
        "generate_background",
        "generate",
        "Generate a background",
        "Paint a background, told in words, behind a subject that is on transparency already: first call "
        "remove_background, then this with its result.",
        arguments.Painted,
    ),
    Row(
        "blur_background",
        "blur",
        "Blur the background",
        "Put the background of a picture out of focus and leave its subject as it is.",
        arguments.Blur,
    ),
    Row(
        "add_shadow",
        "shadow",
        "Cut out with a shadow",
        "Cut the subject out of a picture and give it a shadow, on transparency.",
        arguments.Shadow,
    ),
)

_BY_NAME = {row.name: row for row in ROWS}


def find(name: str) -> Row | None:
    """The tool of that name."""
    return _BY_NAME.get(name)


def list_tools(*, local: bool) -> list[Tool]:
    """All tools, as callers see them; `local`: those on this machine, who have files here."""
    return [
        Tool(
            name=row.name,
            title=row.title,
            description=row.description,
            input_schema=describe(row.arguments, local=local),
            output_schema=Facts.model_json_schema(),
            annotations=ToolAnnotations(read_only_hint=not local, destructive_hint=False, open_world_hint=True),
        )
        for row in ROWS
    ]

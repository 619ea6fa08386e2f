"""The flags of `clearcanvas cut` and `video` that say what comes out. Values are text, read by `cli.compositions`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from adapter.options import backgrounds, formats, generation, geometry, jobs, shadows
from adapter.options.option import Option

_BACKGROUND, _SHADOW, _RESULT = "Background, at most one", "Shadow", "Result"


def _flag(option: Option[Any], metavar: str, panel: str, name: str | None = None) -> Any:  # noqa: ANN401 - as typer's.
    """A flag with the meaning of a form's field."""
    words = option.schema.get("enum")
    shown = "|".join(words) if isinstance(words, list) else metavar
    names = [name] if name else []
    return typer.Option(*names, metavar=shown, help=str(option.schema["description"]), rich_help_panel=panel)


Color = Annotated[str | None, _flag(backgrounds.BGCOLOR, "COLOR", _BACKGROUND)]
Gradient = Annotated[
    str | None,
    typer.Option(metavar="COLOR,COLOR", help="Gradient from one color to the other.", rich_help_panel=_BACKGROUND),
]
Angle = Annotated[str | None, _flag(backgrounds.ANGLE, "DEGREES", _BACKGROUND)]
Radial = Annotated[
    bool, typer.Option("--radial", help="Gradient from the centre to the corners.", rich_help_panel=_BACKGROUND)
]
Blur = Annotated[
    str | None,
    typer.Option(metavar="1..100", help="The picture's own, blurred; 20 is usual.", rich_help_panel=_BACKGROUND),
]
Lens = Annotated[
    bool, typer.Option("--lens", help="Blur as of a wide open lens: lights become discs.", rich_help_panel=_BACKGROUND)
]
Background = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="Another picture.", rich_help_panel=_BACKGROUND),
]
Fit = Annotated[str | None, _flag(backgrounds.FIT, "", _BACKGROUND)]
Fill = Annotated[
    str | None,
    typer.Option(metavar="COLOR", help="Color beside another picture; white.", rich_help_panel=_BACKGROUND),
]
Prompt = Annotated[str | None, _flag(generation.PROMPT, "TEXT", _BACKGROUND)]
NegativePrompt = Annotated[str | None, _flag(generation.NEGATIVE_PROMPT, "TEXT", _BACKGROUND)]
Seed = Annotated[str | None, _flag(generation.SEED, "N", _BACKGROUND)]
Steps = Annotated[str | None, _flag(generation.STEPS, "1..100", _BACKGROUND)]
GenerationModel = Annotated[str | None, _flag(generation.GENERATION_MODEL, "NAME", _BACKGROUND)]

Shadow = Annotated[str | None, _flag(shadows.SHADOW, "", _SHADOW)]
OffsetX = Annotated[str | None, _flag(shadows.OFFSET_X, "PIXELS", _SHADOW)]
OffsetY = Annotated[str | None, _flag(shadows.OFFSET_Y, "PIXELS", _SHADOW)]
ShadowBlur = Annotated[str | None, _flag(shadows.BLUR_RADIUS, "PIXELS", _SHADOW)]
ShadowColor = Annotated[str | None, _flag(shadows.SHADOW_COLOR, "COLOR", _SHADOW)]

Mask = Annotated[bool, typer.Option("--mask", help="Write the alpha alone, in grey.", rich_help_panel=_RESULT)]
Encoding = Annotated[str | None, _flag(formats.FORMAT, "", _RESULT, "--format")]
Crop = Annotated[bool, typer.Option("--crop", help="Cut the result to the subject.", rich_help_panel=_RESULT)]
Margin = Annotated[str | None, _flag(geometry.CROP_MARGIN, "LENGTHS", _RESULT)]
Size = Annotated[str | None, _flag(geometry.SIZE, "N|WxH", _RESULT)]
Scale = Annotated[str | None, _flag(geometry.SCALE, "PERCENT", _RESULT)]
Position = Annotated[str | None, _flag(geometry.POSITION, "PLACE", _RESULT)]

VideoForm = Annotated[str | None, _flag(jobs.VIDEO_FORMAT, "", _RESULT, "--format")]

Matting = Annotated[str | None, _flag(jobs.MATTING, "", "Subject")]
Model = Annotated[str | None, _flag(generation.MODEL, "NAME", "Subject")]
OwnAlpha = Annotated[
    bool,
    typer.Option("--own-alpha", help="Take the pictures' own transparency for the matte.", rich_help_panel="Subject"),
]

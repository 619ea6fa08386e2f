"""The card of `inpaint`: what it may say, and that nothing it says goes unread."""

from pathlib import Path
from typing import Any

import pytest
from inpaint.settings import read_settings

from cards.card import read_config

FOLDER = Path(__file__).parents[4] / "model_repository" / "inpaint"


def model_config(**changes: str | None) -> dict[str, Any]:
    """The committed card as Triton gives it to the model, with other parameters; None leaves one out."""
    config = read_config(FOLDER)
    parameters = {key: config.parameters[key].string_value for key in config.parameters} | changes
    return {"parameters": {key: {"string_value": text} for key, text in parameters.items() if text is not None}}


def test_as_committed_it_is_sdxl_in_thirty_steps() -> None:
    settings = read_settings(model_config())
    assert (settings.pipeline, settings.default_steps) == ("StableDiffusionXLInpaintPipeline", 30)
    assert (settings.max_side, settings.multiple, settings.dtype, settings.weights) == (1024, 32, "auto", "weights")
    assert settings.call == {"guidance_scale": 7.5, "strength": 0.99}


def test_a_few_step_variant_is_a_matter_of_the_card() -> None:
    changes = {"scheduler": "LCMScheduler", "default_steps": "4", "call": '{"guidance_scale": 1.0}'}
    settings = read_settings(model_config(**changes))
    assert (settings.scheduler, settings.default_steps, settings.call) == ("LCMScheduler", 4, {"guidance_scale": 1.0})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"turbo": "yes"}, r"nothing reads: \['turbo'\]"),
        ({"pipeline": None}, r"lacks the parameters \['pipeline'\]"),
        ({"dtype": "fp8"}, "dtype 'fp8' is not one of"),
        ({"call": "guidance"}, "call is not JSON"),
        ({"call": "[1]"}, "call is not a JSON object"),
        ({"scheduler_options": "{"}, "scheduler_options is not JSON"),
        ({"default_steps": "0"}, "default_steps is '0'"),
        ({"max_side": "wide"}, "max_side is 'wide'"),
        ({"stall_s": "-1"}, "stall_s is '-1'"),
    ],
)
def test_what_cannot_be_is_refused_and_named(changes: dict[str, str | None], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_settings(model_config(**changes))

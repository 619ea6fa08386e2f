"""What a generation model is asked for, and how models are named."""

import re

from clearcanvas.v1.composition_pb2 import Generated

from adapter.options.fields import Fields
from adapter.options.option import whole, words, written

MAX_PROMPT = 1_000
_MAX_SEED = 2**64 - 1
_NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_MODEL_NAME = re.compile(_NAME)


def parse_model(text: str) -> str:
    """Reads a model's name."""
    if not _MODEL_NAME.fullmatch(text):
        message = "must be a model's name: 1 to 64 letters, digits, dots, dashes or underscores"
        raise ValueError(message)
    return text


MODEL = written(
    ("model",),
    parse_model,
    "",
    "Name of the matting model; the service's own choice without it.",
    "isnet",
    grammar=_NAME,
)
PROMPT = words("prompt", MAX_PROMPT, "What is to be seen behind the subject, in words.", required=True)
NEGATIVE_PROMPT = words("negative_prompt", MAX_PROMPT, "What is not to be seen.")
SEED = whole("seed", 0, _MAX_SEED, None, "The same seed brings the same background; the answer names it.")
STEPS = whole("steps", 1, 100, None, "Steps of a diffusion model; its own number without it.")
GENERATION_MODEL = written(
    ("generation_model",),
    parse_model,
    "",
    "Name of the generation model; the service's own choice without it.",
    "backdrop",
    grammar=_NAME,
)
GENERATION = (PROMPT, NEGATIVE_PROMPT, SEED, STEPS, GENERATION_MODEL)


def read_generated(fields: Fields) -> Generated:
    """A background that is painted."""
    return Generated(
        prompt=fields.take(PROMPT),
        negative_prompt=fields.take(NEGATIVE_PROMPT),
        seed=fields.take(SEED),
        steps=fields.take(STEPS) or 0,
        model=fields.take(GENERATION_MODEL),
    )

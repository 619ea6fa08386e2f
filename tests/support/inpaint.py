"""The committed diffusion model, with other weights and another card."""

import shutil
from pathlib import Path

from google.protobuf import text_format

from cards.card import CARD_FILE, read_config
from cards.generation import read_generation_card
from engine.models.origin import open_origin
from engine.models.pull_weights import pull_weights

INPAINT = Path(__file__).parents[2] / "model_repository" / "inpaint"


def write_inpaint(repository: Path, weights: Path, name: str = "inpaint", **parameters: str) -> Path:
    """The committed model as `name`, with other parameters, and weights pulled from the folder `weights`."""
    folder = repository / name
    shutil.copytree(INPAINT, folder, ignore=shutil.ignore_patterns("__pycache__", "weights*"))
    config = read_config(folder)
    config.name = name
    for key, value in parameters.items():
        config.parameters[key].string_value = value
    (folder / CARD_FILE).write_text(text_format.MessageToString(config))
    card = read_generation_card(folder, config)
    assert pull_weights(card, folder, open_origin(str(weights)), lambda _step: None, trust=True)
    return folder

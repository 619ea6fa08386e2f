"""What tests compare of cards."""

from dataclasses import replace
from pathlib import Path

from cards.card import ModelCard, read_card


def unmeasured(folder: Path) -> ModelCard:
    """The card as a pull into an empty folder writes it: nobody has measured anything there."""
    card = read_card(folder)
    return replace(card, versions={version: replace(facts, quality="") for version, facts in card.versions.items()})

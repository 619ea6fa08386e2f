"""The model repository as this server sees it: what its cards say, and whether a version is what its card says."""

import asyncio
from pathlib import Path

from cards.check import State, inspect_version
from cards.errors import CardError
from cards.target import Target
from cards.versions import MATTING, VersionCard, list_versions
from server.errors import ModelNotFoundError, ModelRefusedError


class Repository:
    """Implements `server.lifecycle.ports.Cards`. Every call reads the disk again: an import needs no restart."""

    def __init__(self, folder: Path) -> None:
        """`folder`: the same that Triton serves, for reading."""
        self._folder = folder

    async def cards(self) -> list[VersionCard]:
        """Every version. Raises `ModelRefusedError` where there is no repository here."""
        return await asyncio.to_thread(self._cards)

    async def check_name(self, name: str) -> None:
        """See `Cards.check_name`."""
        if not any(card.target.model == name and card.kind == MATTING for card in await self.cards()):
            raise ModelNotFoundError(f"There is no matting model of the name {name!r}.", {"model": name})

    async def verify(self, target: Target) -> str:
        """See `Cards.verify`."""
        return await asyncio.to_thread(self._verify, target)

    def _cards(self) -> list[VersionCard]:
        try:
            return list_versions(self._folder)
        except CardError as error:
            raise ModelRefusedError(f"This server sees no model repository: {error}") from error

    def _verify(self, target: Target) -> str:
        card = next((card for card in self._cards() if card.target == target), None)
        if card is None:
            raise ModelRefusedError(f"The repository has no {target}: import it first (clearcanvas models import).")
        if card.kind != MATTING:
            raise ModelRefusedError(f"{target} is no matting model.")
        found = inspect_version(self._folder, target)
        if found.state is not State.GOOD:
            raise ModelRefusedError(found.problem)
        return f"sha256 {card.facts['sha256'][:12]}… is what the card says"

"""What a scene is given: the frame, the wishes, and random numbers of its own."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from backdrop.frame import Colour, Frame
from backdrop.prompt import Brief


@dataclass(frozen=True)
class Hints:
    """What the picture itself says, where it does.

    `foot`: height of the subject's lowest point, 0 (top) to 1 (bottom). `light`: where its light comes from, -1 (left)
    to 1 (right).
    """

    foot: float | None = None
    light: float | None = None


@dataclass(frozen=True)
class Stage:
    """One picture to be painted. `role`: wall, floor or table, where but a part of it is."""

    frame: Frame
    brief: Brief
    hints: Hints
    key: bytes
    role: str | None = None

    def as_part(self, role: str) -> "Stage":
        """The same wishes, for a wall, a floor or a table."""
        return replace(self, role=role)

    @property
    def colours(self) -> tuple[Colour, ...]:
        """The colours that are wanted here; a wall has those that are said of nothing else in the room."""
        if self.role is None:
            return self.brief.colours
        if self.role != "wall":
            return self.brief.colours_beside(self.role)
        of_others = [tuple(colour) for colour in self.brief.colours_beside("floor", "table")]
        return tuple(colour for colour in self.brief.colours if tuple(colour) not in of_others)

    def rng(self, name: str) -> np.random.Generator:
        """Random numbers for one thing in the picture: the same ones, whatever else is painted, at any size."""
        digest = hashlib.blake2b(name.encode(), key=self.key, digest_size=16).digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))

    def chance(self, name: str, low: float = 0.0, high: float = 1.0) -> float:
        """One number of that name, uniform between `low` and `high`."""
        return float(self.rng(name).uniform(low, high))

    @property
    def light_side(self) -> float:
        """-1 where the light comes from the left, 1 from the right, and between."""
        if self.hints.light is not None:
            return self.hints.light
        side = self.chance("light side", -1, 1)
        return float(np.copysign(0.45 + 0.55 * abs(side), side))

    def horizon(self, preferred: float) -> float:
        """Height (0 top – 1 bottom) of a far line: as preferred, but above the subject's foot, so that it stands."""
        if self.hints.foot is None:
            return preferred
        return float(np.clip(min(preferred, self.hints.foot - 0.1), 0.3, 0.9))


def key_of(prompt: str, negative: str, seed: int) -> bytes:
    """What all random numbers of a picture come from."""
    digest = hashlib.blake2b(digest_size=32)
    for part in (prompt, negative, str(seed)):
        data = part.encode()
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.digest()

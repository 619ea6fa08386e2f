"""A box of pixels."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A box in pixels from the top left corner; all zero when it is empty."""

    top: int
    left: int
    width: int
    height: int

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """The first column on its right."""
        return self.left + self.width

    def cut_to(self, other: "Box") -> "Box":
        """Return what both have in common."""
        return box_between(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def moved(self, down: int, right: int) -> "Box":
        """Return it moved by so many pixels; an empty one stays what it is."""
        return Box(self.top + down, self.left + right, self.width, self.height) if self.width else self


EMPTY = Box(0, 0, 0, 0)


def box_between(top: int, left: int, bottom: int, right: int) -> Box:
    """Return the box from the first row and column to those behind its last ones."""
    return Box(top, left, right - left, bottom - top) if bottom > top and right > left else EMPTY

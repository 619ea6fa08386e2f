"""The small model for people, on every frame."""

from collections.abc import Callable, Iterator

from server.video.coarse import Bytes, Coarse
from server.video.flow import Effort
from server.video.watch import Seen, Sight

# About twice the model's own size: what the outline is drawn to is finer than the model.
SIGHT = Sight(working_side=480, motion_side=240, effort=Effort.LITTLE)


def every_matte(frames: Iterator[Seen], ask: Callable[[Seen], Bytes]) -> Iterator[Coarse]:
    """Return every frame with its matte, in order."""
    for seen in frames:
        yield Coarse(seen, ask(seen))

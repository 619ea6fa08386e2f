"""The large model on key frames, and its mattes carried to the frames between them.

Key frames stand `STRIDE` apart, or farther where the model is slow. What both carry to the middle frame between them is
compared: where it differs, that frame becomes a key frame itself, and so on, until they are neighbours or the budget is
spent. In all other frames the mattes of both sides are blended, by how near they are and how far the flow to them is to
be believed.
"""

from collections.abc import Iterator
from itertools import pairwise

from server.video.asked import Asked
from server.video.carry import agreement, blended, carried_from
from server.video.coarse import Coarse
from server.video.flow import Effort, Floats, flow_between
from server.video.watch import Seen, Sight

SIGHT = Sight(working_side=1024, motion_side=480, effort=Effort.SOME)
STRIDE, MOST_STRIDE = 8, 18  # where there is time for that, and at most
MOST_STRETCH = float("inf")  # the model has learned from pictures of all proportions that were made square

# What two cores without a GPU need for 1080p: for the matte of a key frame, and for everything else of a frame. Keys
# are counted by these and not by the clock: a busy machine does not make a video worse.
_KEY_S = {"cpu/openvino/bf16": 0.42, "cpu/openvino/f32": 0.85, "cpu/mnn/f32": 1.25, "cpu/onnxruntime/f32": 2.0}
_FRAME_S = 0.08
_LEAST_RATE = 6  # frames a second
_LEAST_TIME_S = 20.0  # what four seconds of thirty frames take at that rate: a shorter video may take as long

_AHEAD = 2  # key frames that may be spent before their time
_ALIKE = 0.975  # IoU of the mattes from both sides, above which they are taken for right


def keys_for(frames: int, device: str) -> int:
    """Return how many key frames a video of that many frames may have: one in every frame where there is time.

    `device`: where the model runs, `device/runtime/precision`; a GPU has time.
    """
    if device.startswith("gpu"):
        return frames
    time_s = max(_LEAST_TIME_S, frames / _LEAST_RATE) - frames * _FRAME_S
    return min(frames, int(time_s / _KEY_S.get(device, min(_KEY_S.values()))))


class Budget:
    """The key frames that a video may have, spread over its length."""

    def __init__(self, frames: int) -> None:
        """`frames`: how many are expected."""
        self._frames = max(1, frames)
        self._keys = self._frames
        self._spent = 0

    @property
    def stride(self) -> int:
        """How far apart the regular key frames are; known once the first is spent."""
        if self._keys >= self._frames:
            return 1
        spans = max(1, self._keys - 1)  # between the first key frame and the last
        return min(MOST_STRIDE, max(STRIDE, -(-(self._frames - 1) // spans)))

    def spend(self, device: str) -> None:
        """Note one key frame. `device`: where the model ran, `device/runtime/precision`."""
        self._spent += 1
        self._keys = keys_for(self._frames, device)

    def allows(self, number: int) -> bool:
        """Return whether frame `number` may become one beside the regular ones: what is left is kept for the rest."""
        done = min(1.0, (number + self.stride) / self._frames)
        regular = (1 - done) * self._frames / self.stride
        return self._spent + 1 <= min(done * self._keys + _AHEAD, self._keys - regular)


class Carrying:
    """Mattes of key frames, and what becomes of the frames between them."""

    def __init__(self, model: Asked, budget: Budget) -> None:
        self._model = model
        self._budget = budget

    def follow(self, frames: Iterator[Seen]) -> Iterator[Coarse]:
        """Return every frame with its matte, in order. At most MOST_STRIDE + 1 frames are held."""
        first: Coarse | None = None
        waiting: list[Seen] = []
        for seen in frames:
            if first is None or seen.back is None:
                yield from self._ended(first, waiting)
                first, waiting = self._key(seen), []
                continue
            waiting.append(seen)
            if len(waiting) == self._budget.stride:
                last = self._key(waiting[-1])
                yield from self._until(first, waiting, last)
                first, waiting = last, []
        yield from self._ended(first, waiting)

    def _key(self, seen: Seen) -> Coarse:
        alpha = self._model.alpha(seen)
        self._budget.spend(self._model.device)
        return Coarse(seen, alpha)

    def _ended(self, first: Coarse | None, waiting: list[Seen]) -> Iterator[Coarse]:
        """Return what is left before a cut or the end: its last frame is a key frame."""
        if first is None:
            return
        last = first
        if waiting:
            last = self._key(waiting[-1])
            yield from self._until(first, waiting, last)
        yield last

    def _until(self, first: Coarse, later: list[Seen], last: Coarse) -> Iterator[Coarse]:
        """Return the frames from `first` to before `last`, which is the last one of `later`."""
        frames = [first.seen, *later]
        ahead = [flow_between(one.small, next_one.small, SIGHT.effort) for one, next_one in pairwise(frames)]
        yield from self._span(first, frames, ahead, last)

    def _span(self, first: Coarse, frames: list[Seen], ahead: list[Floats], last: Coarse) -> Iterator[Coarse]:
        """Return the same of `frames`, which begin with `first` and end with `last`; `ahead`: flows to the next."""
        between = frames[1:-1]
        if not between:
            yield first
            return
        lumas = [seen.small for seen in frames]
        back = [seen.back for seen in frames[1:] if seen.back is not None]
        forth = carried_from(first.alpha, lumas, back, ahead)[:-1]
        against = carried_from(last.alpha, lumas[::-1], ahead[::-1], back[::-1])[-2::-1]
        middle = len(between) // 2
        if agreement(forth[middle], against[middle]) < _ALIKE and self._budget.allows(between[middle].frame.number):
            key = self._key(between[middle])
            yield from self._span(first, frames[: middle + 2], ahead[: middle + 1], key)
            yield from self._span(key, frames[middle + 1 :], ahead[middle + 1 :], last)
            return
        yield first
        for step, (seen, one, other) in enumerate(zip(between, forth, against, strict=True), start=1):
            yield Coarse(seen, blended(one, other, 1 - step / (len(frames) - 1)))

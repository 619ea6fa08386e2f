"""What the line for videos may ask of models."""

from collections.abc import Callable
from dataclasses import dataclass

from server.generation import Generators
from server.matting import MattingModel

MattingModels = Callable[[], MattingModel]
"""A matting model. Nothing is asked of Triton before it is called. Raises ModelNotFoundError, ModelUnavailableError."""


@dataclass(frozen=True)
class VideoModels:
    """The models of one video.

    `fast`: small, for people, asked for every frame. `quality`: large, asked for key frames. `generation`: paints
    backgrounds.
    """

    fast: MattingModels
    quality: MattingModels
    generation: Generators

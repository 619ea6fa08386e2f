"""What can go wrong with a model, before Triton ever sees it."""

from engine.errors import EngineError


class ModelError(EngineError):
    """Root of the tree. Its text is one sentence or two for the person at the terminal: what, where, what to do."""


class SourceError(ModelError):
    """The weights could not be fetched, or what came is not what is pinned."""


class UnsupportedModelError(ModelError):
    """The ONNX file is damaged, unsafe, or does not fit the model contract as asked."""


class CanaryError(ModelError):
    """The model did not answer a canary, or answered outside the contract."""

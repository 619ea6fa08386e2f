"""What can stop the engine; every message says what to do about it."""


class EngineError(Exception):
    """The engine cannot do what it was asked; the text is for the person who started it."""

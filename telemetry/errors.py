"""What can go wrong at the start; nothing of this package raises later."""


class TelemetryError(Exception):
    """A program cannot tell what it is set to tell; the message is a sentence for who runs it."""

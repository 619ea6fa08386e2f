"""Ranges of parameters, and how one outside of its range is refused."""

from server.errors import InvalidParameterError


def check_range(field: str, value: float, least: float, most: float, unit: str = "") -> None:
    """Raise `InvalidParameterError` naming `field` unless `value` is `least` to `most`, both included."""
    if not least <= value <= most:  # Also false for what is not a number.
        raise InvalidParameterError(f"{field} must be {least} to {most}{unit}.", {"field": field})

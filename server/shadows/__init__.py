"""Shadows: one renderer a file, each a pure function `(stage, parameters) -> lazy shade`."""

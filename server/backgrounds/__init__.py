"""Backgrounds: one renderer a file, each a pure function `(scene, parameters) -> lazy image`."""

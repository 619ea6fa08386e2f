"""Backgrounds painted by rule from words: no weights, the same picture every time.

It may import nothing but the standard library, numpy and OpenCV: it runs on Triton's Python.
"""

from backdrop.render import MAX_SIDE, render
from backdrop.stage import Hints

__all__ = ["MAX_SIDE", "Hints", "render"]

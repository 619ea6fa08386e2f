"""Pixels only: codecs, colour, alpha refinement, as lazy libvips graphs. No network, no asyncio."""

"""API keys: who may use the image operations, how often, and how much of a month is used."""

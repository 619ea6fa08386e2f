"""The public face: documentation that people and programs read, the playground, and how both look."""

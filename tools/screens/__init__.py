"""Pictures of every page and of every state of the playground, taken in a real browser."""

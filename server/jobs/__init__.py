"""Jobs that survive: accepted once, worked off by whichever server lives, their results kept for a time."""

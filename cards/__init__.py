"""What a model of the repository says of itself, and whether its files are what it says."""

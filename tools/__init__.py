"""What `make` runs on the tree itself."""

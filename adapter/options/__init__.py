"""What a caller may choose, and how it is written."""

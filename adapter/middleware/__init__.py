"""What happens around every request: its id, its errors, the headers of its response."""

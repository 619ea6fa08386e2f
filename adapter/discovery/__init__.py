"""What machines can read about this service before they call it."""

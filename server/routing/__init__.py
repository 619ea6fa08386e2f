"""What a name stands for: which version of which model, and that every server's Tritons have it."""

"""Bodies of requests, read within bounds."""

"""How fast and how large the stack is, beside bare inference and beside rembg, all in one run."""

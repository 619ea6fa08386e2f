"""The public API of remove.bg, for those who move: its requests, answers and errors, as its clients know them."""

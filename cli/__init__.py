"""The `clearcanvas` command: runs the programs and speaks to them, and imports none of them."""

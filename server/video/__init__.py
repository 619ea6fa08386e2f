"""Videos: the straight line for one picture, frame by frame. No asyncio; files are given by path."""
